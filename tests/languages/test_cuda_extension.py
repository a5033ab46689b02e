"""`load_inline` with CUDA sources: built by nvcc and g++ for one GPU, cached, looked at, or refused.

No PyTorch for CUDA is needed: empty libraries stand in for its own. Launches end where the driver should be.
"""

import ctypes
import importlib.util
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from cuda_torch import CUDA, MAIN, NO_GPU, major, make_libraries, runtime
from torch.utils import cpp_extension

from kernelopt import registry
from kernelopt.gpu import _cudart, ptxas, toolkit
from kernelopt.gpu.diagnostics import parse
from kernelopt.languages import BuildReply, BuildRequest, ToolRun, _cuda_extension
from kernelopt.languages._tools import HostTools
from kernelopt.resources import folder

if toolkit.locate("nvcc") is None or shutil.which("g++") is None:
    pytest.skip(f"no nvcc or no g++; run: {toolkit.how_to_add('nvcc')}", allow_module_level=True)
LANGUAGE = registry.get("languages", "cuda")()
ARCH = "--gpu-architecture=sm_90"
Build = Callable[..., BuildReply]


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_libraries(tmp_path_factory.mktemp("torch") / "lib")


@pytest.fixture
def for_cuda(libraries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", f"{major()}.0")
    monkeypatch.setattr(_cudart, "torch_libraries", lambda: libraries)


@pytest.fixture
def build(for_cuda: None, tmp_path: Path) -> Build:
    def made(
        cuda: str = CUDA, *options: str, cache: Path = tmp_path, timeout_s: float = 120.0, **more: object
    ):
        given = {"sources": {"main.cpp": MAIN, "cuda.cu": cuda}, "device_cflags": (ARCH, *options), **more}
        request = BuildRequest("torch_extension", "scaled", **given)
        return LANGUAGE.build(request, cache, timeout_s, Noting())

    RAN.clear()
    return made


RAN: list[Sequence[str]] = []


class Noting(HostTools):
    """Keeps the commands that were run."""

    def run(self, command: Sequence[str], folder: Path, timeout_s: float) -> ToolRun:
        RAN.append(command)
        return super().run(command, folder, timeout_s)


def sees_torch(command: Sequence[str]) -> bool:
    """Whether this is nvcc, and it is shown PyTorch's headers."""
    return command[0].endswith("nvcc") and any("torch/include" in word for word in command)


def load(reply: BuildReply, name: str = "scaled"):
    ctypes.CDLL(str(runtime()), mode=ctypes.RTLD_GLOBAL)  # as a torch for CUDA has
    spec = importlib.util.spec_from_file_location(name, reply.path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_built_and_loaded_and_launches_as_far_as_the_driver(build):
    reply = build()
    assert reply.ok, reply.log
    assert load(reply).run(1000) in NO_GPU
    again = build()
    assert again.cached and again.path == reply.path


def test_registers_and_spills_are_told_and_one_architecture_is_built(build):
    reply = build()
    (usage,) = ptxas.parse(reply.log)
    assert all(" " in line for line in reply.log.splitlines()), "lists of headers are left out"
    assert (usage.mangled, usage.arch) == ("_Z5scalePfi", "sm_90")
    assert 0 < usage.registers <= 255 and usage.spill_store_bytes == 0
    assert "nvcc -arch=sm_90 -lineinfo -Xptxas=-v cuda.cu" in reply.command
    assert "/tmp" not in reply.log + reply.command
    found = toolkit.locate("cuobjdump")
    if found is None:
        pytest.skip(f"no cuobjdump; run: {toolkit.how_to_add('cuobjdump')}")
    for kind, told in (("-lelf", ["sm_90"]), ("-lptx", [])):
        done = subprocess.run([found[0], kind, reply.path], capture_output=True, text=True, check=False)
        assert re.findall(r"\.(sm_\d+\w*)\.", done.stdout) == told


def test_an_option_may_ask_for_features_of_the_present_gpu_and_for_no_other(build):
    wanted = ("-gencode=arch=compute_90a,code=sm_90a", "-gencode", "arch=compute_80,code=sm_80")
    reply = build(CUDA, *wanted)
    assert [usage.arch for usage in ptxas.parse(reply.log)] == ["sm_90a"], reply.log


@pytest.mark.parametrize(
    "option", ["--use_fast_math", "-O3 -Xcompiler -O3", "-Xcompiler=-fPIC,-Wall", "-DN=4"]
)
def test_options_of_honest_answers_are_taken(build, option):
    text = CUDA if "N=4" not in option else CUDA.replace("*= 2", "*= N")
    assert build(text, option).ok


def test_an_error_of_nvcc_has_its_place(build):
    reply = build(CUDA.replace("*= 2", "*= two"))
    assert not reply.ok
    (error,) = parse("nvcc", reply.log, {"cuda.cu": CUDA})
    assert (error.severity, error.file, error.line) == ("error", "cuda.cu", 4)
    assert 'identifier "two" is undefined' in error.message


def test_an_error_of_gxx_has_its_place_and_nvccs_words_stay(build):
    reply = build(sources={"main.cpp": MAIN.replace("launch((int)", "launch((in)"), "cuda.cu": CUDA})
    assert "main.cpp:4:" in reply.log and "registers" in reply.log
    assert not reply.ok


def test_a_failure_is_remembered_and_a_late_one_is_not(build, tmp_path):
    wrong = CUDA.replace("*= 2", "*= ;")
    assert not build(wrong).ok
    assert build(wrong).cached
    late = build(timeout_s=0.01, cache=tmp_path / "late")
    assert "stopped after" in late.log
    assert build(cache=tmp_path / "late").ok


def test_headers_beside_the_sources_are_found(build):
    sources = {"main.cpp": MAIN, "k.cu": '#include "factor.cuh"\n' + CUDA.replace("2;", "FACTOR;", 1)}
    assert build(sources={**sources, "factor.cuh": "#define FACTOR 3\n"}).ok


# What is refused -------------------------------------------------------------------------------------


def test_a_torch_for_the_cpu_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    sources = {"main.cpp": MAIN, "cuda.cu": CUDA}
    request = BuildRequest("torch_extension", "scaled", sources, device_cflags=(ARCH,))
    reply = LANGUAGE.build(request, tmp_path, 60.0, HostTools())
    assert not reply.ok
    assert reply.log == _cudart.CPU_TORCH
    assert list(tmp_path.iterdir()) == [], "what another torch would build is not remembered as a failure"


def test_without_nvcc_the_command_that_adds_it_is_data(build, monkeypatch):
    monkeypatch.setattr(toolkit, "locate", lambda name: None)
    reply = build()
    assert not reply.ok and "pip install nvidia-cuda-nvcc" in reply.log


def test_an_nvcc_of_another_cuda_than_torchs_is_told(build, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "11.8")
    assert re.match(r"nvcc \S+ does not fit this torch, which is for CUDA 11.8", build().log)


def test_without_pytorchs_libraries_the_missing_one_is_named(build, monkeypatch, tmp_path):
    monkeypatch.setattr(_cudart, "torch_libraries", lambda: tmp_path)
    assert build().log.startswith("libc10_cuda.so was not found")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"device_cflags": ()}, "no GPU was found"),
        ({"device_cflags": ("--gpu-architecture=sm_12",)}, "refused: no architecture"),
        ({"sources": {"main.cpp": MAIN, "../x.cu": CUDA}}, "is no plain name"),
        ({"sources": {"main.cpp": MAIN, "x.ii": "", "x.cu": CUDA}}, "is no plain name"),
        ({"cflags": ("-fplugin=x",)}, "refused: the flag"),
        ({"ldflags": ("-lcublas",)}, "refused: the flag"),
        ({"ldflags": ("-L/tmp",)}, "refused: the flag"),
        ({"sources": {"main.cpp": MAIN, "x.cu": f"#embed </etc/passwd>\n{CUDA}"}}, "refused: #embed"),
    ],
)
def test_requests_that_reach_further_are_refused(build, more, said):
    reply = build(**more)
    assert not reply.ok
    assert said in reply.log
    assert "\n" not in reply.log


@pytest.mark.parametrize(
    "option",
    [
        *("-ccbin=/tmp/x", "-ccbin g++", "@flags", "--options-file=x", "-include=/etc/passwd", "-I/etc"),
        *("-Xcompiler=-fplugin=x", "-Xcompiler -include,/etc/passwd", "-Xcompiler=-O3,-fplugin=x", "-run"),
        *("-Xlinker=x", "-Xptxas=-o=x", "-keep-dir=/tmp", "-rdc=true", "-o x", "/etc/passwd", "-Xcudafe=x"),
        *("-Xcompiler=-B.", "-Xcompiler @x", "-arch=sm_90,-ccbin=x", "--compiler-bindir=/tmp", "-L/tmp"),
        *("-gencode=arch=x", "-lcublas", "-ptx", "-E", "-time=/tmp/x", "-fatbin", "--dryrun", "-arch"),
    ],
)  # fmt: skip
def test_options_that_name_files_or_start_programs_are_refused(build, option):
    reply = build(CUDA, option)
    assert not reply.ok
    assert reply.log.startswith("refused: the option")


@pytest.mark.parametrize(
    "attack",
    [
        '#include "{file}"',
        '#define HASH #\nHASH include "{file}"',
        '#line 1 "{file}"\n#error stop',
        '# 1 "{file}"\nint f() { return broken; }',
        'const char x[] = R"(\n#include "{file}"\n)";',
        'asm(".incbin \\"{file}\\"");',
        'int renamed asm("x\\n.include \\"{file}\\"\\n#") = 1;',
        '#pragma GCC pch_preprocess "{file}"',
        '__global__ void h() { asm(".include \\"{file}\\""); }',
    ],
)
def test_no_file_of_this_machine_comes_into_log_or_library(build, tmp_path, attack):
    secret = tmp_path / "secret.h"
    secret.write_text("int private_key_8451 = broken;\n")
    for file in (secret, Path("/etc/passwd")):
        reply = build(attack.replace("{file}", str(file)) + "\n" + CUDA)
        assert not reply.ok
        assert "8451" not in reply.log
        assert "root:" not in reply.log
    assert not list(tmp_path.rglob("*.so"))


@pytest.mark.parametrize("piece", ["{}", "/*", "template ", "a<<<", "((", "\n#"])
def test_a_huge_text_costs_the_judge_no_time(build, piece):
    """Each would keep what takes texts apart busy for hours; nvcc is stopped after three seconds."""
    for size in (_cuda_extension.MOST_CHARACTERS - 200, 1_900_000):
        text = CUDA + piece * ((size - len(CUDA)) // len(piece))
        assert not build(f"{text}\nbroken", timeout_s=1.0).ok


# What was built --------------------------------------------------------------------------------------


def findings(reply: BuildReply) -> set[str]:
    assert reply.ok, reply.log
    return {one.rule for one in LANGUAGE.inspect_artifact(Path(reply.path))}


def test_an_honest_extension_raises_no_finding(build):
    assert findings(build()) == set()


@pytest.mark.parametrize(
    ("declared", "called", "rule"),
    [
        ('extern "C" int cublasSgemm_v2(void*);', "cublasSgemm_v2(nullptr)", "library"),
        ('extern "C" int cudnnConvolutionForward(void*);', "cudnnConvolutionForward(nullptr)", "library"),
        ("", "at_handle()", "library"),
        ("cudaStream_t side;", "cudaStreamCreate(&side)", "streams"),
        ("void later(void*) {}", "cudaLaunchHostFunc(0, later, nullptr)", "streams"),
        ("cudaIpcMemHandle_t h;", "cudaIpcGetMemHandle(&h, nullptr)", "reference"),
    ],
)
def test_what_a_library_imports_cannot_be_hidden(build, declared, called, rule):
    outside = 'void* at_handle() __asm__("_ZN2at4cuda24getCurrentCUDABlasHandleEv");'
    text = f"#include <cuda_runtime.h>\n{outside}\n{declared}\n#define CALL {called}\n"
    assert findings(build(text + CUDA.replace("scale<<<", "CALL; scale<<<"))) == {rule}


def test_a_side_stream_that_is_waited_for_is_no_finding(build):
    side = (
        "cudaStream_t s; cudaStreamCreate(&s); scale<<<1, 1, 0, s>>>(nullptr, 1); cudaStreamSynchronize(s);"
    )
    assert findings(build(CUDA.replace("scale<<<", f"{side} scale<<<", 1))) == set()


# With PyTorch's headers ------------------------------------------------------------------------------

USUAL = """
#include <torch/extension.h>
__device__ float twice(float v) { return 2 * v; }
__global__ void scale(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = twice(x[i]);
}
int blocks(int n) { return (n + 255) / 256; }
torch::Tensor run(torch::Tensor x) {
    auto y = torch::empty_like(x);
    const int n = x.numel();
    if (n > 0) scale<<<blocks(n), 256, 64>>>(x.data_ptr<float>(), y.data_ptr<float>(), n);
    TORCH_CHECK(cudaGetLastError() == cudaSuccess, "the launch failed");
    return y;
}
"""
HERE = Path(__file__).parent
CORPUS = HERE.parent / "corpus"


def routing() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("routing_under_test", folder("sandbox") / "routing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


IMPLICIT = "#include <torch/types.h>\n#include <cuda.h>\n#include <cuda_runtime.h>\n"
BOUND = """#include <torch/extension.h>
torch::Tensor run(torch::Tensor x);
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
m.def("run", torch::wrap_pybind_function(run), "run");
}"""


LAUNCHED = """
import ctypes, importlib.util, sys, torch
runtime = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
runtime.standin_noted.restype = ctypes.c_char_p
spec = importlib.util.spec_from_file_location("scaled", sys.argv[2])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
x = torch.randn(1000)
assert torch.equal(module.run(x), 2 * x)
assert torch.equal(module.run(x[:0]), x[:0])
print(runtime.standin_noted().decode())
"""


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CUDA runtime that computes the kernel `scale` on the host."""
    made = tmp_path_factory.mktemp("runtime") / f"libcudart.so.{major()}"
    command = ["g++", "-shared", "-fPIC", "-O1", str(HERE / "standin_cudart.cpp"), "-o", str(made)]
    subprocess.run([*command, f"-Wl,-soname,{made.name}"], check=True)
    return made


def launches(reply: BuildReply, standin: Path) -> list[str]:
    """What a call launches, in a process in which the stand-in is the CUDA runtime; its result is right."""
    command = [sys.executable, "-c", LAUNCHED, str(standin), reply.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-2]


def usual(build: Build, cache: Path, text: str) -> BuildReply:
    sources = {"main.cpp": BOUND, "cuda.cu": IMPLICIT + text}
    return build(sources=sources, cache=cache, timeout_s=200.0, cflags=("-O2",))


@pytest.mark.slow
def test_the_usual_style_is_built_in_halves(build, torch_cache, standin):
    """PyTorch's headers, which would cost nvcc a minute, are precompiled for the half that g++ has."""
    reply = usual(build, torch_cache, USUAL)
    assert reply.ok, reply.log
    assert [usage.mangled for usage in ptxas.parse(reply.log)] == ["_Z5scalePKfPfi"]
    assert findings(reply) == set()
    assert launches(reply, standin) == ["_Z5scalePKfPfi<<<4, 256, 64>>>"]
    wrong = usual(build, torch_cache, USUAL.replace("twice(x[i])", "twice(x[i], 3)"))
    assert "cuda.cu(9): error: too many arguments in function call" in wrong.log


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["gpu_honest/h_torch_extension", "gpu_cheats/g_side_stream_in_extension"])
def test_answers_of_the_corpus_are_built_in_halves(build, torch_cache, monkeypatch, name):
    """With c10's header for the current stream, whose library is empty here: built, and not loaded."""
    asked = {}
    monkeypatch.setattr(
        cpp_extension, "load_inline", lambda name, **options: asked.update(options, name=name)
    )
    exec((CORPUS / f"{name}.py").read_text(), {})
    request = routing().inline_request(asked)
    texts, flags = request["sources"], (ARCH, *request["device_cflags"])
    reply = build(sources=texts, device_cflags=flags, cflags=("-O2",), cache=torch_cache)
    assert reply.ok and not any(map(sees_torch, RAN))
    assert findings(reply) == ({"streams"} if "side_stream" in name else set())


@pytest.mark.exhaustive  # PyTorch's headers, three times: for the host, for the device, and for g++
@pytest.mark.timeout(900)
def test_what_cannot_be_taken_apart_is_built_as_a_whole(build, torch_cache, standin):
    text = USUAL.replace("__global__", "template <typename T>\n__global__").replace(
        "float* x, float* y", "T* x, T* y"
    )
    reply = usual(build, torch_cache, text.replace("scale<<<", "scale<float><<<"))
    assert reply.ok, reply.log
    (usage,) = ptxas.parse(reply.log)
    assert usage.mangled.startswith("_Z5scaleIfE") and usage.registers
    assert [sees_torch(command) for command in RAN if command[0].endswith("nvcc")] == [True]
    assert findings(reply) == set()
    assert launches(reply, standin) == ["_Z5scaleIfEvPKT_PS0_i<<<4, 256, 64>>>"]


@pytest.mark.parametrize("name", ["process", "bwrap"])
def test_it_is_built_in_a_sandbox(for_cuda, tmp_path, name):
    from kernelopt.evaluator.workers.tools import SandboxTools
    from kernelopt.sandboxes import Limits

    sandbox = registry.get("sandboxes", name)([_cudart.torch_libraries()])
    try:
        if problem := sandbox.missing():
            pytest.skip(problem)
        sources = {"main.cpp": MAIN, "cuda.cu": CUDA}
        request = BuildRequest("torch_extension", "scaled", sources, device_cflags=(ARCH,))
        reply = LANGUAGE.build(request, tmp_path, 120.0, SandboxTools(sandbox, Limits()))
        assert reply.ok, reply.log
        assert [path for path in sandbox.room.iterdir() if path.name.startswith("build-")] == []
    finally:
        sandbox.close()
