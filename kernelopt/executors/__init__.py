"""Where evaluations run: the protocol of an executor."""

from __future__ import annotations

from typing import Protocol

from kernelopt.evaluation import Evaluation
from kernelopt.kernel import Kernel
from kernelopt.task import Task


class Executor(Protocol):
    """Evaluates kernels somewhere. Safe to call from threads; use it as a context manager."""

    name: str

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """Evaluate one kernel on one task and wait for it; a failing kernel is data.

        Raises:
            TaskError: the reference does not load or run.
            EvaluatorFault: our own machinery broke.
        """

    def describe(self) -> dict[str, str]:
        """Machine, compiler, isolation and versions, for the manifest."""

    def close(self) -> None:
        """Stop whatever was started."""
