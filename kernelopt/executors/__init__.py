"""Where evaluations run: the protocol of an executor."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from kernelopt.evaluation import Evaluation
from kernelopt.kernel import Kernel
from kernelopt.task import Task


class Executor(Protocol):
    """Evaluates kernels somewhere. Safe to call from threads; use it as a context manager."""

    name: str

    def submit(self, kernel: Kernel, task: Task) -> Future[Evaluation]:
        """Evaluate one kernel on one task; the future holds data even when the kernel fails."""

    def describe(self) -> dict[str, str]:
        """Machine, compiler, isolation and versions, for the manifest."""

    def close(self) -> None:
        """Stop whatever was started."""
