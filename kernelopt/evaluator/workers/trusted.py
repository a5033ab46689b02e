"""Workers of our own code: what goes wrong in them is never the candidate's doing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator.workers.memory import Unreadable
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.worker import Worker


class TrustedWorker(Worker):
    """The reference's worker: what goes wrong in it is never the candidate's doing."""

    trusted = True

    def _send(self, message: dict[str, Any], stage: Stage, fds: Sequence[int] = ()) -> None:
        with _ours():
            super()._send(message, stage, fds)

    def _building(self, timeout_s: float, stage: Stage) -> dict[str, Any]:
        with _ours():
            return super()._building(timeout_s, stage)

    def _receive(self, timeout_s: float, stage: Stage) -> dict[str, Any]:
        with _ours():
            return super()._receive(timeout_s, stage)

    def _raise_if_error(self, reply: dict[str, Any], stage: Stage) -> None:
        with _ours():
            super()._raise_if_error(reply, stage)

    @contextlib.contextmanager
    def _readable(self, stage: Stage) -> Iterator[None]:
        try:
            yield
        except Unreadable as problem:
            if problem.foreign:
                raise Stopped(Status.SUSPECT, stage, str(problem)) from problem
            raise EvaluatorFault(f"the reference's process: {problem}") from problem


@contextlib.contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except Stopped as stopped:
        raise EvaluatorFault(f"the reference's process: {stopped.reason}") from stopped
