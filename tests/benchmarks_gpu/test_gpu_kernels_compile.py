"""Every kernel compiles for A100 and H100, and none keeps registers in memory."""

from __future__ import annotations

import ast
import importlib.util

import pytest

from benchmarks.gpu.catalogue import BY_NAME, ENTRIES, LANGUAGES
from benchmarks.gpu.compiled import compile_answer
from kernelopt.gpu._account import Look
from kernelopt.gpu.nvrtc import compile_source
from kernelopt.gpu.toolkit import nvrtc_version
from kernelopt.languages._tools import HostTools

NAMES = [entry.name for entry in ENTRIES]
ARCHS = ("sm_80", "sm_90")

needs_nvrtc = pytest.mark.skipif(not nvrtc_version(), reason="NVRTC is not installed")
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed"
)


def source(name: str, language: str) -> str:
    """The CUDA C++ in one of our modules."""
    for node in ast.parse(BY_NAME[name].kernel_file(language).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SOURCE":
            return ast.literal_eval(node.value)
    raise AssertionError(f"{name}: no SOURCE")


def test_every_task_has_a_kernel_in_each_language():
    assert len(ENTRIES) >= 16
    assert [
        file
        for entry in ENTRIES
        for language in LANGUAGES
        if not (file := entry.kernel_file(language)).is_file()
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_cupy_and_cuda_have_the_same_device_code(name):
    assert source(name, "cupy") == source(name, "cuda")


@needs_nvrtc
@pytest.mark.parametrize("arch", [pytest.param("sm_80", marks=pytest.mark.exhaustive), "sm_90"])
@pytest.mark.parametrize("name", NAMES)
def test_cuda_compiles_without_a_spill(name, arch):
    made = compile_source(source(name, "cuda"), arch, (), HostTools(), 60.0, look=Look(sass=False))
    assert made.ok, made.log
    assert [one.name for one in made.kernels if one.spill_store_bytes or one.spill_load_bytes] == []
    assert [str(one) for one in made.diagnostics] == []  # nor with a warning


@needs_nvrtc
@pytest.mark.exhaustive
@pytest.mark.parametrize("language", ["cuda", "cupy"])
def test_what_a_module_launches_is_what_is_compiled(language):
    (found,) = compile_answer(BY_NAME["cross_entropy"], language, "small", ["sm_90"], HostTools())
    assert found.problems == ()
    assert {one.name for one in found.kernels} == {"row_losses", "mean"}
    assert found.registers


@needs_nvrtc
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["linear_gelu", "attention"])
def test_products_run_on_tensor_cores(name):
    for found in compile_answer(BY_NAME[name], "cuda", "gpu", ARCHS, HostTools()):
        (kernel,) = found.kernels
        assert kernel.mix is None or (kernel.mix.tensor and kernel.mix.async_copy and not kernel.mix.local)


@needs_triton
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_triton_compiles_without_a_spill(name):
    for found in compile_answer(BY_NAME[name], "triton", "gpu", ARCHS, HostTools()):
        assert found.problems == ()
        assert [one.name for one in found.kernels if one.spill_store_bytes or one.spill_load_bytes] == []
