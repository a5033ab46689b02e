"""CUDA C++ through CuPy's `RawKernel` and `RawModule`, which the worker sends to NVRTC in the sandbox."""

from __future__ import annotations

from kernelopt.languages._cuda_guide import cupy_guide
from kernelopt.languages.cuda import Cuda
from kernelopt.task import Task


class Cupy(Cuda):
    """As `cuda`, with CuPy's way to launch."""

    name = "cupy"

    def guide(self, task: Task) -> str:
        """Rules and a worked example; the same for every task."""
        return cupy_guide()


PLUGIN = Cupy
