"""Triton, checked on the CPU with Triton's own interpreter where there is no GPU."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kernelopt import registry
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Ran, Toolbox
from kernelopt.languages import _triton_guide as triton_guide
from kernelopt.languages._inspect_run import inspect_run
from kernelopt.languages._triton_inspect import inspect_triton
from kernelopt.task import Task

MISSING = "triton is not installed; install it: pip install 'triton>=3.2'"
NO_BUILDS = (
    "an answer in Triton builds nothing natively; write the kernel as a @triton.jit function and launch it"
)


class Triton:
    """Kernels that Triton compiles in their own process, or interprets there where no GPU is."""

    name = "triton"

    @property
    def device(self) -> str:
        """The GPU, where there is one that kernels can run on."""
        return "cuda" if registry.get("devices", "cuda")().missing() is None else "interpreter"

    def missing(self) -> str | None:
        """How to install Triton, where there is none."""
        return None if importlib.util.find_spec("triton") else MISSING

    def guide(self, task: Task) -> str:
        """Rules and a worked example; the same for every task."""
        return triton_guide.guide()

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_inspect` finds, and what only an answer in Triton can do wrong."""
        return inspect_triton(kernel, allow_libraries=allow_libraries)

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """Nothing: there are none."""
        return []

    def inspect_run(self, ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_inspect_run` finds; nothing where the kernel is interpreted, in PyTorch and NumPy."""
        return inspect_run(ran, allow_libraries=allow_libraries) if self.device == "cuda" else []

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """Refused, in a sentence that says what to do instead."""
        return BuildReply(ok=False, log=NO_BUILDS)


PLUGIN = Triton
