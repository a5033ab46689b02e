"""Both sides of process pairs, started side by side: they wait most of that time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from kernelopt.evaluator.data.arena import Slots
from kernelopt.evaluator.workers.endings import Endings
from kernelopt.evaluator.workers.worker import Worker

Start = Callable[[], Worker]


class TwoSides:
    """Starts a worker of each side at a time, and has all of them ended at the end.

    What runs beside a pair that is to be timed would disturb it, so those that end are waited for then.
    """

    def __init__(self, starts: tuple[Start, Start], slots: Slots, endings: Endings, *, bound: bool):
        """`starts`: how to load the reference and the candidate. `bound`: see `Worker.bind`."""
        self._starts, self._slots, self._bound = starts, slots, bound
        self._endings, self._workers = endings, list[Worker]()
        self._pool = ThreadPoolExecutor(2)

    def __enter__(self) -> TwoSides:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for worker in self._workers:
            self._endings.add(worker)

    def start(self) -> tuple[Worker, Worker]:
        """A new process of each side, ready for timed batches and stopped; nothing else of ours runs.

        Raises:
            Stopped: the candidate did not load.
            EvaluatorFault: the reference did not.
        """
        begun = [self._pool.submit(self._start, side) for side in (0, 1)]
        wait(begun)
        self._endings.wait()
        return begun[0].result(), begun[1].result()

    def _start(self, side: int) -> Worker:
        worker = self._starts[side]()
        self._workers.append(worker)
        worker.map_timed(self._slots)
        worker.bind(self._bound)
        worker.pause()
        return worker
