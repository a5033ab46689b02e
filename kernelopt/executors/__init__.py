"""Where evaluations run: the protocol of an executor."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

from kernelopt.evaluation import Evaluation
from kernelopt.kernel import Kernel
from kernelopt.task import Task


@dataclass(frozen=True, slots=True)
class Rules:
    """What a user asks of kernels beyond the usual, or less: flags of `search`, `eval` and `bench`.

    Each is the field of that name in `evaluator.settings.Settings`. A run keeps them in its manifest.
    """

    allow_libraries: bool = False
    strict_shapes: bool = False
    check_backward: bool = False
    allow_reduced_precision: bool = False
    strict: bool = False
    """NPUEval: an element may miss ``rtol * |reference|``, not ``rtol * |output|`` as published."""
    precision: str = ""
    """How well kernels are timed: ``quick``, ``usual`` or ``thorough``. Where it is empty, a search is quick
    and measures its winners thoroughly, and other commands are as usual."""

    def text(self) -> str:
        """Those that are set, as flags; empty when all is as usual."""
        given = [(field.name, getattr(self, field.name)) for field in fields(self)]
        flags = [(f"--{name.replace('_', '-')}", value) for name, value in given if value]
        return " ".join(flag if value is True else f"{flag} {value}" for flag, value in flags)


class Executor(Protocol):
    """Evaluates kernels somewhere. Safe to call from threads.

    `PLUGIN(argument, sandbox=NAME, rules=RULES)` makes one; `argument` is what follows a colon in
    `--executor`. One that does not use the device of the language has its own in an attribute ``device``.
    """

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
