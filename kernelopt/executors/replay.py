"""Executor `replay:RUN`: evaluations out of another run's journal, nothing is built or timed.

With it a search can be made again without its kernels: to study other search settings on the same
measurements, or to show that a resumed run equals an uninterrupted one.
"""

from __future__ import annotations

from typing import Any

from kernelopt.errors import StoreError
from kernelopt.evaluation import Evaluation, from_json
from kernelopt.executors import Rules
from kernelopt.kernel import Kernel
from kernelopt.task import Task


class ReplayExecutor:
    """Answers strictly: a kernel that the other run did not evaluate is an error."""

    name = "replay"

    def __init__(self, argument: str, sandbox: str = "process", rules: Rules | None = None):
        """`argument` is the other run's name or path; `sandbox` and `rules` are those of that run.

        Raises:
            UnknownName: there is no such run.
        """
        from kernelopt.store.run import open_run

        self._argument = argument
        with open_run(argument) as run:
            self._machine = {str(k): str(v) for k, v in dict(run.manifest.get("machine", {})).items()}
            self._known = {e.key: _plain(e.data) for e in run.journal.read("evaluation")}

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """The recorded evaluation.

        Raises:
            StoreError: that run did not evaluate this kernel on this task.
        """
        key = f"{task.slug}:{kernel.hash}"
        if key not in self._known:
            raise StoreError(
                f"replay:{self._argument}: kernel {kernel.hash} was not evaluated on task {task.id}"
            )
        return from_json(self._known[key])

    def describe(self) -> dict[str, str]:
        """The machine of the other run."""
        return {**self._machine, "replayed_from": self._argument}

    def close(self) -> None:
        """Nothing is open."""


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "source"}


PLUGIN = ReplayExecutor
