"""What timing a task needs, kept warm from one candidate to the next."""

from __future__ import annotations

import os
from collections.abc import Callable

from kernelopt.evaluator.arena import Slots
from kernelopt.evaluator.clock import slot_count
from kernelopt.evaluator.reference import Reference
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.worker import Worker

MOST_RIGS = max(4, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (2 << 30))
"""Tasks that are kept ready: one takes up to a quarter of a gibibyte, and all an eighth of the memory."""
MOST_USES = 4
"""Evaluations that one reference process serves. Candidates' are all new, and a process is slower or
faster than another for as long as it lives: one for ever would err the same way in each evaluation."""


class Rig:
    """The input sets that both sides of every pair share, and reference processes that map them."""

    def __init__(self, reference: Reference, settings: Settings, start: Callable[[], Worker]):
        self._start = start
        self.slots = Slots(reference.pool[0], slot_count(reference.pool, settings), ours=True)
        self.calls = 0
        """Calls in a batch of the reference, once they have been chosen."""
        self._workers: dict[int, tuple[Worker, int]] = {}

    def worker(self, index: int) -> Worker:
        """Reference process number `index` of an evaluation; it stands still until its turn."""
        worker, uses = self._workers.pop(index, (None, 0))
        if worker and uses >= MOST_USES:
            worker.close()
            worker, uses = None, 0
        worker = worker or self._fresh()
        self._workers[index] = worker, uses + 1
        return worker

    def _fresh(self) -> Worker:
        worker = self._start()
        worker.map_timed(self.slots)
        worker.pause()
        return worker

    def close(self) -> None:
        """End the processes and release the memory."""
        for worker, _ in self._workers.values():
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
