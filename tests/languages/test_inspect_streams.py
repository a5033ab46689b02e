"""Streams of one's own, callbacks and graphs: what is waited for passes, what is left running does not."""

import pytest
from inspected import answer, cuda_extension, rules

SIDE = "self.side = torch.cuda.Stream()\nself.done = torch.cuda.Event()"
ON_SIDE = "y = torch.empty_like(x)\nwith torch.cuda.stream(self.side):\n    lib.f(x, y, x.numel())\n"
GRAPH = "self.graph = torch.cuda.CUDAGraph()\nself.into = torch.zeros(9)\nself.out = torch.zeros(9)"
OUT = "y = torch.empty_like(x)\nlib.f(self.out, y, 9)\nreturn y"
PLAIN = "y = torch.empty_like(x)\nlib.f(x, y, 1)\nreturn y"

LEFT = [
    answer(ON_SIDE + "return y", init=SIDE),
    answer("self.side.wait_stream(torch.cuda.current_stream())\n" + ON_SIDE + "return y", init=SIDE),
    answer(ON_SIDE + "self.done.record(self.side)\nreturn y", init=SIDE),
    answer(ON_SIDE + "self.side.wait_event(self.done)\nreturn y", init=SIDE),
    answer("torch.cuda.synchronize()\n" + ON_SIDE + "return y", init=SIDE),
    answer(ON_SIDE.replace("self.side", "torch.cuda.Stream()") + "return y"),
    answer(ON_SIDE.replace("self.side", "SIDES[0]") + "return y", top="SIDES = [torch.cuda.Stream()]"),
    answer(ON_SIDE + "return y", init="from torch.cuda import Stream as S\nself.side = S(priority=-1)"),
    answer("torch.cuda.set_stream(torch.cuda.default_stream())\n" + PLAIN),
    answer("cupy.cuda.get_current_stream().launch_host_func(print, x)\n" + PLAIN, top="import cupy"),
    answer("self.graph.replay()\n" + OUT, init=GRAPH),
    answer("self.graph.replay()\n" + OUT.replace("9", "x.numel()"), init=GRAPH),
    answer("again = torch.empty_like(x)\nself.graph.replay()\n" + OUT, init=GRAPH),
]
JOINED = [
    answer(ON_SIDE + "torch.cuda.current_stream().wait_stream(self.side)\nreturn y", init=SIDE),
    answer(
        "current = torch.cuda.current_stream()\nself.side.wait_stream(current)\n"
        + ON_SIDE
        + "current.wait_stream(self.side)\nreturn y",
        init=SIDE,
    ),
    answer(ON_SIDE + "self.done.record(self.side)\nself.done.wait()\nreturn y", init=SIDE),
    answer(ON_SIDE + "torch.cuda.current_stream().wait_event(self.side.record_event())\nreturn y", init=SIDE),
    answer(ON_SIDE + "self.side.synchronize()\nreturn y", init=SIDE),
    answer(ON_SIDE + "torch.cuda.synchronize()\nreturn y", init=SIDE),
    answer(
        "with cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):\n"
        "    y = torch.empty_like(x)\n    lib.f(x, y, 1)\nreturn y",
        top="import cupy",
    ),
    answer("self.into.copy_(x)\nself.graph.replay()\n" + OUT, init=GRAPH),
    answer("flat = x.view(-1)\nself.into.copy_(flat)\nself.graph.replay()\n" + OUT, init=GRAPH),
    answer("lib.f(x.contiguous(), self.into, 9)\nself.graph.replay()\n" + OUT, init=GRAPH),
    answer(
        "self.run(x)\n" + OUT,
        init=GRAPH,
        methods="def run(self, given):\n    self.into.copy_(given)\n    self.graph.replay()",
    ),
]


@pytest.mark.parametrize("source", LEFT, ids=range(len(LEFT)))
def test_what_is_left_running_or_knows_nothing_of_the_call_is_seen(source):
    assert "streams" in rules(source)


@pytest.mark.parametrize("source", JOINED, ids=range(len(JOINED)))
def test_what_is_waited_for_and_what_reads_its_inputs_passes(source):
    assert "streams" not in rules(source)


def test_a_stream_in_code_that_never_runs_is_no_matter():
    assert "streams" not in rules(answer(top="def unused():\n    return torch.cuda.Stream()"))


def cuda_text(code):
    """An answer with this CUDA text."""
    return answer(top=f'more = """{code}\nextern "C" __global__ void g(float* y) {{ y[0] = 1; }}"""')


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("memory", "__device__ const float* last_input;"),
        ("memory", "__device__ float *volatile last[4];"),
        ("memory", "static __device__ unsigned char * where = 0;"),
        ("streams", "__device__ void spin() { long long t = clock64(); while (clock64() - t < 9) {} }"),
        ("streams", '__device__ void t() { asm("mov.u64 %0, %globaltimer;" : "=l"(n)); n = globaltimer; }'),
    ],
)
def test_cuda_text_that_outlives_its_call_is_seen(rule, code):
    assert rule in rules(cuda_text(code))


@pytest.mark.parametrize(
    "code",
    [
        "__device__ unsigned int blocks_done = 0;",
        "__device__ float table[256];",
        "__device__ const float* row(const float* x, int r) { return x + r; }",
        "__device__ __forceinline__ float* at(float* x, int i) { float* p = x + i; return p; }",
        "__constant__ float weights[16];",
        "// clock64() is not used\n__device__ int o_clock(int t) { return t; }",
    ],
)
def test_honest_cuda_text_passes(code):
    assert rules(cuda_text(code)) & {"memory", "streams"} == set()


# Native code -----------------------------------------------------------------------------------------

LAUNCH = "__global__ void k(float* y) {}\n"
MADE = "cudaStream_t side; cudaStreamCreate(&side); k<<<1, 1, 0, side>>>(y);"


@pytest.mark.parametrize(
    "code",
    [
        f"{LAUNCH}void f(float* y) {{ {MADE} }}",
        f"{LAUNCH}void f(float* y) {{ {MADE.replace('cudaStreamCreate(', 'cudaStreamCreateWithFlags(')} }}",
        f"{LAUNCH}void f(float* y) {{ k<<<1, 1, 0, c10::cuda::getStreamFromPool()>>>(y); }}",
        f"{LAUNCH}void f(float* y) {{ k<<<1, 1, 0, cudaStreamPerThread>>>(y); }}",
        f"{LAUNCH}void f(float* y) {{ c10::cuda::setCurrentCUDAStream(other); k<<<1, 1>>>(y); }}",
        f"{LAUNCH}void f(float* y) {{ cudaLaunchHostFunc(0, later, y); k<<<1, 1>>>(y); }}",
    ],
)
def test_cuda_text_of_an_extension_leaves_nothing_running(code):
    assert "streams" in rules(cuda_extension(code))


@pytest.mark.parametrize(
    "code",
    [
        f"{LAUNCH}void f(float* y) {{ {MADE} cudaStreamSynchronize(side); }}",
        f"{LAUNCH}void f(float* y) {{ {MADE} cudaEventRecord(e, side); cudaStreamWaitEvent(0, e); }}",
        f"{LAUNCH}void f(float* y) {{ k<<<1, 1, 0, c10::cuda::getCurrentCUDAStream()>>>(y); }}",
    ],
)
def test_cuda_text_of_an_extension_that_waits_passes(code):
    assert rules(cuda_extension(code)) == set()
