"""A module is executed without a GPU, and every launch is written down instead of done."""

import importlib.util
import json

import pytest

from kernelopt.errors import UsageError
from kernelopt.evaluator.workers.tools import SandboxTools
from kernelopt.gpu import _capture_read as read
from kernelopt.gpu.capture import Captured, SourceLaunch, capture, captured
from kernelopt.kernel import Kernel
from kernelopt.languages._tools import HostTools
from kernelopt.sandboxes import Limits
from kernelopt.sandboxes.process import ProcessSandbox
from kernelopt.task import Task

TASK = Task(
    "t",
    "t",
    """
import torch
from torch import nn
class Model(nn.Module):
    def __init__(self, factor):
        super().__init__()
def get_inputs():
    return [torch.randn(100, 77), torch.randn(100, 77)]
def get_init_inputs():
    return [3]
""",
    "file",
)
HEAD = "import torch\nimport triton\nimport triton.language as tl\nfrom torch import nn\n"
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed"
)

CUDA_TEXTS = r'''
import cupy as cp
import torch
from torch import nn
from torch.utils.cpp_extension import load_inline
from kernelopt.inline import cuda

lib = cuda("""extern "C" __global__ void scale(const float* x, float* y, int n, float factor) {}""",
           options=["--use_fast_math"])
raw = cp.RawKernel('extern "C" __global__ void twice(float* x) {}', "twice", options=("-O3",))
module = cp.RawModule(code='extern "C" __global__ void k(float* x, int n) {}')
extension = load_inline("ext", cpp_sources="torch::Tensor f(torch::Tensor x);",
                        cuda_sources="__global__ void g() {}", functions=["f"])


class ModelNew(nn.Module):
    def __init__(self, factor):
        super().__init__()
        assert factor == 3
        self.weight = nn.Parameter(torch.ones(4, device="cuda"))

    def forward(self, x, y):
        assert x.is_cuda and y.device == self.weight.device == torch.device("cuda", 0)
        assert torch.cuda.get_device_capability() == (8, 0) and torch.cuda.is_available()
        out, n = torch.empty_like(x), x.numel()
        with torch.cuda.device(x.device), torch.cuda.stream(torch.cuda.Stream()):
            for _ in range(2):
                lib.scale[(n + 255) // 256, 256](x, out, n, 2.0)
            lib.scale[(n + 255) // 256, (32, 8), 1024](x, out, n, 2.0)
        a = cp.from_dlpack(x)
        with cp.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
            many = torch.cuda.get_device_properties(x.device).multi_processor_count
            raw((many,), (128,), (a,), shared_mem=64)
            c = cp.empty_like(a)
            module.get_function("k")((1,), (32, 4), (c, cp.int32(5)))
        torch.cuda.synchronize()
        return (torch.from_dlpack(c) + extension.f(x)).to("cuda").cpu()
'''


def run(source: str, arch: str = "sm_90", **options) -> Captured:
    return capture(Kernel.from_source(source, "triton"), TASK, arch=arch, tools=HostTools(), **options)


@pytest.fixture(scope="module")
def cuda_texts() -> Captured:
    return run(CUDA_TEXTS, "sm_80")


def test_a_module_written_for_a_gpu_runs_to_its_end(cuda_texts):
    assert cuda_texts.failure is None
    assert cuda_texts.launches == ()
    assert [build.kind for build in cuda_texts.builds] == [
        "inline.cuda",
        "cupy.RawKernel",
        "cupy.RawModule",
        "load_inline.cuda",
    ]


def test_launches_of_inline_kernels_are_kept_once_each_with_their_shape(cuda_texts):
    build = cuda_texts.builds[0]
    arguments = ("*float32", "*float32", "int", "float")
    assert build.launches == (
        SourceLaunch("scale", (31, 1, 1), (256, 1, 1), 0, arguments, times=2),
        SourceLaunch("scale", (31, 1, 1), (32, 8, 1), 1024, arguments, times=1),
    )
    assert build.options == ("--use_fast_math",)
    assert "__global__ void scale" in build.source


def test_launches_of_cupy_s_kernels_are_kept_with_a_cupy_that_need_not_be_there(cuda_texts):
    kernel, module = cuda_texts.builds[1:3]
    assert (kernel.name, kernel.options) == ("twice", ("-O3",))
    assert kernel.launches == (SourceLaunch("twice", (108, 1, 1), (128, 1, 1), 64, ("*float32",)),)
    assert module.launches == (SourceLaunch("k", (1, 1, 1), (32, 4, 1), 0, ("*float32", "int32")),)


def test_sources_of_extensions_are_kept(cuda_texts):
    assert cuda_texts.builds[3].source == "__global__ void g() {}"


TRITON = (
    HEAD
    + """
@triton.autotune(
    [triton.Config({"BLOCK": 2**i}, num_warps=w) for i, w in ((10, 4), (11, 8), (12, 8))], key=["n"]
)
@triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})
@triton.jit
def add(x, y, o, n, one, EVEN: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(o + i, tl.load(x + i, i < n) + tl.load(y + i, i < n), i < n)

class ModelNew(nn.Module):
    def __init__(self, factor):
        super().__init__()

    def forward(self, x, y):
        o = torch.empty_like(x)
        grid = lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)
        add[grid](x.view(-1)[1:], y, o, x.numel(), 1)
        add[grid](x.view(-1)[1:], y, o, x.numel(), 1)
        raise RuntimeError("after the launches")
"""
)


@needs_triton
def test_triton_launches_are_specialised_as_triton_itself_would_do_it():
    found = run(TRITON, most_configs=2)
    assert found.triton
    first, second = found.launches
    assert (first.kernel, first.grid, second.grid) == ("add", (8, 1, 1), (4, 1, 1))
    assert first.signature["x"] == "*fp32" and first.signature["n"] == "i32"
    assert first.aligned == ("o", "y")  # x starts four bytes behind a boundary, 7700 is odd times four
    assert first.constants == {"one": 1, "EVEN": False, "BLOCK": 1024}
    assert (first.options["num_warps"], second.options["num_warps"]) == (4, 8)
    assert first.times == 3  # its trial, and both launches
    assert second.times == 1
    assert (found.failure.phase, found.failure.error) == ("forward", "RuntimeError")
    assert "after the launches" in found.failure.text
    assert "/" not in found.failure.text.split("File")[1].split(",")[0]


@pytest.mark.parametrize(
    ("source", "phase", "error", "words"),
    [
        ("import nowhere_at_all", "load", "ModuleNotFoundError", "nowhere_at_all"),
        ("x = 1", "construct", "KeyError", "ModelNew"),
        ("import os\nos._exit(3)", "forward", "Died", "exit code 3"),
        ("import os\nos.kill(os.getpid(), 11)", "forward", "Died", "signal 11"),
    ],
)
def test_a_module_that_fails_is_data(source, phase, error, words):
    failure = run(source).failure
    assert (failure.phase, failure.error) == (phase, error)
    assert words in failure.text


def test_a_module_that_never_ends_is_stopped():
    assert run("while True: pass", timeout_s=-6.0).failure.error == "Late"


def test_an_architecture_that_is_none_is_the_user_s_mistake():
    with pytest.raises(UsageError, match="sm_90"):
        run("", "sm_1")


def test_it_works_where_candidates_live():
    sandbox = ProcessSandbox()
    try:
        kernel = Kernel.from_source(CUDA_TEXTS, "cuda")
        found = capture(kernel, TASK, arch="sm_80", tools=SandboxTools(sandbox, Limits()))
    finally:
        sandbox.close()
    assert found.failure is None
    assert len(found.builds) == 4


@pytest.mark.parametrize(
    "answer",
    [
        {"launches": 7, "builds": "no", "failure": [], "triton": 3},
        {"launches": [3, {"kernel": [], "grid": ["a", None], "signature": [], "constants": {"x": [1]}}]},
        {
            "builds": [
                {"source": 5, "options": {}, "launches": [{"grid": 3, "block": [1e99], "shared_bytes": "x"}]}
            ]
        },
        {"launches": [{"options": {"num_warps": 2**99}, "times": True, "aligned": [{}]}]},
    ],
)
def test_whatever_the_far_side_writes_is_read_without_harm(answer):
    found = captured(json.loads(json.dumps(answer)), None, {})
    assert all(isinstance(launch.kernel, str) for launch in found.launches)
    assert all(launch.times == 0 for launch in found.launches)
    assert all(isinstance(part, int) for build in found.builds for one in build.launches for part in one.grid)


def test_huge_answers_are_cut():
    many = {"launches": [{"kernel": "k" * 1000}] * 1000}
    found = captured(many, None, {})
    assert len(found.launches) == read.MOST
    assert len(found.launches[0].kernel) == 200
