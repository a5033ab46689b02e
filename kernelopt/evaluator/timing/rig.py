"""What timing a task needs, kept warm from one candidate to the next."""

from __future__ import annotations

import os
from collections.abc import Callable

from kernelopt.evaluator.data.arena import set_bytes
from kernelopt.evaluator.data.pool import Pool
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.workers.memory import Memory

MOST_RIGS = max(4, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (2 << 30))
"""Tasks whose input sets stay laid out: one takes 16 MiB, or four sets where those are larger."""


class Rig:
    """The input sets that both sides of every pair share.

    Processes are not kept. One that has served an evaluation is 7 to 9% faster in the next ones than a new
    one of the same code (200 A/A trials showed it), and a candidate's are always new.
    """

    def __init__(self, reference: Reference, settings: Settings, memory: Memory):
        count = slot_count(reference.pool, settings)
        self.slots = memory.slots(reference.pool[0], count, ours=True)
        self.calls = 0
        """Calls in a batch of the reference, once they have been chosen."""

    def close(self) -> None:
        """Release the memory."""
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


def slot_count(pool: Pool, settings: Settings) -> int:
    """How many input sets to lay out: as many as fit in the arena, within `least_slots` and `max_calls`."""
    fit = settings.arena_bytes // max(set_bytes(pool[0]), 1)
    return max(1, min(settings.max_calls, max(settings.least_slots, fit)))
