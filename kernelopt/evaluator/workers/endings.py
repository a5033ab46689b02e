"""Workers that are ended while the judge goes on: to give a process's memory back takes a while."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from kernelopt.evaluator.workers.worker import Worker

SIDES = 2
"""Candidate and reference end side by side."""


class Endings:
    """Ends workers in the background.

    They are killed at once: nothing of one runs when its sandbox is asked for something else, a compiler
    run say. Only for its memory and its folder to be gone nobody waits, but what is to be timed.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(SIDES)
        self._going: list[Future[None]] = []

    def add(self, worker: Worker) -> None:
        """End a worker. Here and now if it holds memory that the next one may need, a GPU's."""
        if worker.memory.device != "cpu":
            worker.close()
            return
        worker.kill()
        self._going.append(self._pool.submit(worker.close))

    def wait(self) -> None:
        """Wait until all of them are gone.

        Raises:
            EvaluatorFault: a sandbox's worker died, and no candidate can have done that.
        """
        while self._going:
            self._going.pop().result()

    def close(self) -> None:
        """The same, for the last time."""
        with self._pool:
            self.wait()
