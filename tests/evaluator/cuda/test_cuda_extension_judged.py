"""An answer with CUDA sources for `load_inline`: from the worker through the judge's builder and back.

The driver is a stand-in that launches nothing, so the answer computes with torch; its extension is real.
"""

import re
import shutil

import pytest
import torch
from cuda_torch import CUDA, MAIN, NO_GPU, major, make_libraries, runtime
from gpu_answers import TASK, answer

from kernelopt.evaluation import Stage, Status
from kernelopt.feedback.compiler import compiler_problems
from kernelopt.gpu import _cudart, ptxas, toolkit

if toolkit.locate("nvcc") is None or shutil.which("g++") is None:
    pytest.skip(f"no nvcc or no g++; run: {toolkit.how_to_add('nvcc')}", allow_module_level=True)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return make_libraries(tmp_path_factory.mktemp("torch") / "lib")


@pytest.fixture
def for_cuda(libraries, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", f"{major()}.0")
    monkeypatch.setattr(_cudart, "torch_libraries", lambda: libraries)


def built(cuda: str = CUDA, *, options: str = "") -> str:
    """An answer that builds, and calls what it built whenever it is called."""
    head = f"""
from torch.utils.cpp_extension import load_inline
assert load_inline.__wrapped__  # the judge builds
ctypes.CDLL({str(runtime())!r}, mode=ctypes.RTLD_GLOBAL)
options = dict(no_implicit_headers=True, {options})
lib = load_inline("scaled", cpp_sources={MAIN!r}, cuda_sources=[{cuda!r}], **options)
"""
    return answer(f"assert lib.run(x.numel()) in {NO_GPU}; return self.right(x)", head)


@pytest.mark.usefixtures("for_cuda")
def test_it_is_built_by_the_judge_and_loaded_by_the_worker(evaluate):
    found = evaluate(built(options="extra_cuda_cflags=['-O3', '--use_fast_math']"), TASK)
    assert (found.status, found.stage) == (Status.PASSED, Stage.DONE), f"{found.reason}\n{found.log}"
    assert [usage.mangled for usage in ptxas.parse(found.build.log)] == ["_Z5scalePfi"]
    assert "nvcc -arch=sm_90 -lineinfo -Xptxas=-v -O3 --use_fast_math cuda.cu" in found.build.command


@pytest.mark.usefixtures("for_cuda")
def test_an_error_of_nvcc_is_told_with_its_place(evaluate):
    found = evaluate(built(CUDA.replace("*= 2", "*= two")), TASK)
    assert (found.status, found.stage) == (Status.BUILD_FAILED, Stage.BUILD)
    assert re.search(r'cuda\.cu\(4\): error: identifier "two" is undefined', found.reason)
    (problem,) = compiler_problems(found)
    assert (problem.error.file, problem.error.line) == ("cuda.cu", 4)


def test_a_torch_for_the_cpu_is_a_failed_build_with_one_sentence(evaluate):
    found = evaluate(built(), TASK)
    assert (found.status, found.stage) == (Status.BUILD_FAILED, Stage.BUILD)
    assert "needs a torch for CUDA" in found.reason


@pytest.mark.usefixtures("for_cuda")
def test_a_library_that_calls_cublas_never_reaches_the_worker(judge, evaluate, monkeypatch):
    from kernelopt.registry import get

    language = get("languages", "cuda")()
    monkeypatch.setattr(language, "inspect", lambda *_, **__: [])
    monkeypatch.setattr(judge, "_languages", lambda name: language)
    declared = 'extern "C" int cublasSgemm_v2(void*);\n'
    found = evaluate(built(declared + CUDA.replace("scale<<<", "cublasSgemm_v2(nullptr); scale<<<")), TASK)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.STATIC), found.reason
    assert "cublasSgemm_v2" in found.reason
    assert found.build.command.startswith("nvcc ")
