"""Both sides of process pairs, started and ended side by side: they wait most of that time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from kernelopt.evaluator.arena import Slots
from kernelopt.evaluator.worker import Worker

Start = Callable[[], Worker]


class TwoSides:
    """Starts a worker of each side at a time, and closes all of them at the end.

    One thread for each side at any time: a side has a sandbox, which one thread may drive.
    """

    def __init__(self, starts: tuple[Start, Start], slots: Slots, *, bound: bool):
        """`starts`: how to load the reference and the candidate. `bound`: see `Worker.bind`."""
        self._starts, self._slots, self._bound = starts, slots, bound
        self._workers: tuple[list[Worker], list[Worker]] = ([], [])
        self._pool = ThreadPoolExecutor(2)

    def __enter__(self) -> TwoSides:
        return self

    def __exit__(self, *_: object) -> None:
        with self._pool:
            closed = [self._pool.submit(_close, workers) for workers in self._workers]
        for side in closed:
            side.result()

    def start(self) -> tuple[Worker, Worker]:
        """A new process of each side, ready for timed batches and stopped.

        Raises:
            Stopped: the candidate did not load.
            EvaluatorFault: the reference did not.
        """
        begun = [self._pool.submit(self._start, side) for side in (0, 1)]
        wait(begun)
        return begun[0].result(), begun[1].result()

    def _start(self, side: int) -> Worker:
        worker = self._starts[side]()
        self._workers[side].append(worker)
        worker.map_timed(self._slots)
        worker.bind(self._bound)
        worker.pause()
        return worker


def _close(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.close()
