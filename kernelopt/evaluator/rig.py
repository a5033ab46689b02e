"""What timing a task needs, kept warm from one candidate to the next."""

from __future__ import annotations

from collections.abc import Callable

from kernelopt.evaluator.arena import Slots
from kernelopt.evaluator.clock import slot_count
from kernelopt.evaluator.reference import Reference
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.worker import Worker

MOST_RIGS = 4
"""As many tasks as a search usually has under way at once."""


class Rig:
    """The input sets that both sides of every pair share, and reference processes that map them."""

    def __init__(self, reference: Reference, settings: Settings, start: Callable[[], Worker]):
        self._start = start
        self.slots = Slots(reference.pool[0], slot_count(reference.pool, settings), ours=True)
        self.calls = 0
        """Calls in a batch of the reference, once they have been chosen."""
        self._workers: list[Worker] = []

    def worker(self, index: int) -> Worker:
        """Reference process number `index`; it stands still until its turn."""
        while len(self._workers) <= index:
            worker = self._start()
            self._workers.append(worker)
            worker.map_timed(self.slots)
            worker.pause()
        return self._workers[index]

    def close(self) -> None:
        """End the processes and release the memory."""
        for worker in self._workers:
            worker.close()
        self.slots.close()


class Rigs:
    """Rigs by task, those used longest ago closed when there are too many."""

    def __init__(self, most: int = MOST_RIGS):
        self._most = most
        self._rigs: dict[str, Rig] = {}

    def get(self, key: str, make: Callable[[], Rig]) -> Rig:
        """The rig of a task, made when there is none."""
        rig = self._rigs.pop(key, None)
        if rig is None:
            self.keep(self._most - 1)
            rig = make()
        self._rigs[key] = rig
        return rig

    def keep(self, count: int) -> None:
        """Close all but the `count` used last."""
        while len(self._rigs) > count:
            self._rigs.pop(next(iter(self._rigs))).close()
