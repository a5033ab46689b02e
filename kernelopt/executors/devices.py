"""Executor `devices:0,1,2`: a judge for each GPU, each with the GPU to itself (``--devices``).

A GPU is leased for as long as its judge lives, not for each evaluation: a judge keeps input sets and
references on it, and the clocks of a card that was idle for others' sake are not those of a busy one.
"""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager

from kernelopt.evaluation import Evaluation
from kernelopt.executors import Rules
from kernelopt.executors._pool import Pool
from kernelopt.executors.local import LocalExecutor
from kernelopt.gpu import choice
from kernelopt.kernel import Kernel
from kernelopt.task import Task

_log = logging.getLogger(__name__)


class DevicesExecutor:
    """As many evaluations at a time as GPUs are named."""

    name = "devices"

    def __init__(
        self,
        argument: str,
        sandbox: str = "process",
        rules: Rules | None = None,
        *,
        baselines: bool = False,
    ):
        """`argument` names GPUs by number or UUID, with commas between; nothing is started yet.

        Raises:
            ConfigError: it names no GPU, one of them twice, or something else.
        """
        names = choice.chosen([part.strip() for part in argument.split(",") if part.strip()])
        members = {
            name: LocalExecutor(
                sandbox=sandbox, rules=rules, baselines=baselines, environment=choice.visible(name)
            )
            for name in names
        }
        self._first = members[names[0]]
        self._pool = Pool(members, _hold)
        self.names = names

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """Evaluate on the first GPU that is free; see `Pool.evaluate` for what it raises."""
        return self._pool.evaluate(kernel, task)

    def describe(self) -> dict[str, str]:
        """The machine, as one judge tells it, and which GPUs are used."""
        return {**self._first.describe(), "devices": ", ".join(self.names)}

    def close(self) -> None:
        """End the judges, and give the GPUs back."""
        self._pool.close()


def _hold(name: str, stop: threading.Event) -> AbstractContextManager[None]:
    return choice.held(name, stop, _log.warning)


PLUGIN = DevicesExecutor
