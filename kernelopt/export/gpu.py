"""GPU answers → modules of a package: pure Python, compiled when they are first used."""

from __future__ import annotations

from kernelopt.errors import UsageError
from kernelopt.kernel import Kernel


def gpu_kernel(kernel: Kernel, name: str, package: str) -> str:
    """The text of a module of `package` for a Triton, CuPy or `inline.cuda` answer."""
    raise UsageError(f"{name}: kernels in {kernel.language} are not exported yet")
