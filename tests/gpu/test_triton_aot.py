"""Triton kernels become machine code for a GPU that is not there, and errors become diagnostics."""

import importlib.util
from pathlib import Path

import pytest

from kernelopt.errors import UsageError
from kernelopt.gpu.triton_aot import Built, compile_kernel, shared_limit
from kernelopt.kernel import Kernel
from kernelopt.languages._tools import HostTools
from kernelopt.task import Task

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")

KERNELS = Path(__file__).parent / "kernels_triton"
QUICK = ("attention", "softmax")
"""Compiled in every run; the others are as good, and take four seconds each."""
NAMES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.exhaustive)
    for name in sorted(path.stem for path in KERNELS.glob("*.py"))
]


def task_of(name: str) -> Task:
    return Task(name, name, (KERNELS / "tasks" / f"{name}.py").read_text(), "file")


def build(name: str, source: str = "", **options) -> Built:
    kernel = Kernel.from_source(source or (KERNELS / f"{name}.py").read_text(), "triton")
    return compile_kernel(kernel, task_of(name), tools=HostTools(), **options)


@pytest.mark.parametrize("name", NAMES)
def test_a_right_kernel_is_compiled_for_hopper(name):
    found = build(name, sass=False)
    assert found.captured.failure is None
    assert found.compilations
    for made in found.compilations:
        assert made.ok, made.diagnostics
        assert made.binary.startswith(b"\x7fELF")
        (kernel,) = made.kernels
        assert kernel.registers > 0 and kernel.spill_store_bytes == 0
        assert 0 < kernel.occupancy.fraction <= 1


@pytest.fixture(scope="module")
def matmul() -> Built:
    return build("matmul", also=["gfx942"])


def test_each_configuration_and_target_has_its_own_compilation(matmul):
    seen = [(made.arch, made.facts["num_warps"]) for made in matmul.compilations]
    assert seen == [("sm_90", "4"), ("gfx942", "4"), ("sm_90", "8"), ("gfx942", "8")]
    assert all(made.ok and made.tool.startswith("triton 3") for made in matmul.compilations)


def test_it_says_what_it_was_compiled_for(matmul):
    facts = matmul.compilations[0].facts
    assert facts["constants"] == "ak=1, bn=1, BM=64, BN=64, BK=32"
    assert facts["grid"] == "3 x 3 x 1"
    assert set(facts["aligned"].split(", ")) >= {"a", "b", "c", "k"}


def test_shared_memory_registers_and_instructions_are_told(matmul):
    nvidia, amd = (made.kernels[0] for made in matmul.compilations[:2])
    assert nvidia.name == amd.name == "matmul"
    assert nvidia.shared_bytes > 0 and nvidia.shared_bytes % 1024 == 0
    assert nvidia.occupancy.block_threads == 128
    assert nvidia.mix is None or nvidia.mix.fp32 >= 1024  # input_precision="ieee": no tensor cores
    assert amd.registers > 0 and amd.occupancy is None


BAD = """
import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def odd(x, BLOCK: tl.constexpr):
    tl.store(x + tl.arange(0, BLOCK), 1.0)


@triton.jit
def unfit(x, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(x + at, tl.load(x + at) + tl.load(x + tl.arange(0, 2 * BLOCK)))


@triton.jit
def big(x, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)[:, None] * BLOCK + tl.arange(0, BLOCK)[None, :]
    total = tl.zeros((BLOCK, BLOCK), tl.float32)
    for k in range(0, n, BLOCK):
        total += tl.dot(tl.load(x + at + k), tl.load(x + at + n + k))
    tl.store(x + at, total)


@triton.jit
def fine(x):
    tl.store(x, 1.0)


class ModelNew(nn.Module):
    def forward(self, x):
        odd[(4,)](x, BLOCK=1000)
        unfit[(4,)](x, BLOCK=64)
        big[(4,)](x, x.numel(), BLOCK=128, num_stages=4, num_warps=8)
        fine[(1,)](x)
        return x
"""


@pytest.fixture(scope="module")
def bad() -> dict:
    found = build("gelu", BAD, sass=False)
    assert found.captured.failure is None  # nothing was compiled while the module ran
    return {found.captured.launches[i].kernel: made for i, made in enumerate(found.compilations)}


def test_an_error_of_one_kernel_leaves_the_others_alone(bad):
    assert {name: made.ok for name, made in bad.items()} == {
        "odd": False,
        "unfit": False,
        "big": False,
        "fine": True,
    }


@pytest.mark.parametrize(
    ("kernel", "line", "words"),
    [("odd", "tl.store(x + tl.arange(0, BLOCK), 1.0)", "power of 2"), ("unfit", "2 * BLOCK", "64 and 128")],
)
def test_an_error_is_told_with_its_line_and_kernel(bad, kernel, line, words):
    first = bad[kernel].diagnostics[0]
    assert (first.tool, first.severity, first.kernel) == ("triton", "error", kernel)
    assert words in first.message
    assert line in BAD.splitlines()[first.line - 1]
    assert not bad[kernel].binary


def test_too_much_shared_memory_is_told_with_the_limit(bad):
    made = bad["big"]
    (first,) = made.diagnostics
    assert first.code == "OutOfResources"
    assert f"Required: {made.kernels[0].shared_bytes}, Hardware limit: 232448" in first.message
    assert made.kernels[0].shared_bytes > shared_limit("sm_90")


def test_the_limit_of_shared_memory_is_that_of_the_target():
    assert shared_limit("sm_80") == 163 << 10
    assert shared_limit("sm_90a") == 227 << 10
    assert shared_limit("gfx942") == 64 << 10
    with pytest.raises(UsageError):
        build("gelu", also=["sm_3"])


def test_time_that_runs_out_is_an_error_and_no_exception():
    found = build("gelu", timeout_s=0.0)
    (made,) = found.compilations
    assert not made.ok
    assert "lack of time" in made.diagnostics[0].message
