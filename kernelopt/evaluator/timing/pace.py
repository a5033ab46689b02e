"""How fast references were seen to run: one that is much slower now was kept waiting by other work.

A reference of two threads suffers far more from a busy machine than a kernel of one: each of its barriers
waits for the thread that has no processor. All rounds of an evaluation may be hit alike, so no spread within
it shows that. What shows it is the same reference's pace at another time.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from kernelopt.evaluation import Timing

SLOWED = 1.5
"""A reference that takes so many times its best was disturbed: in peace its processes differ by less."""


class Pace:
    """The best pace of each reference so far. One judge has one."""

    def __init__(self) -> None:
        self._best_ms: dict[Hashable, float] = {}

    def slowed(self, key: Hashable, timing: Timing) -> bool:
        """Whether the reference was disturbed, as far as is known; what it took is remembered.

        `key`: the task, and whatever else its pace depends on.
        """
        best_ms = min(timing.reference_ms, self._best_ms.get(key, timing.reference_ms))
        self._best_ms[key] = best_ms
        return timing.reference_ms > SLOWED * best_ms

    def cautious(self, key: Hashable, timing: Timing) -> Timing:
        """The timing; where the reference was disturbed, the lower end is what its best pace makes of it."""
        if not self.slowed(key, timing):
            return timing
        lost = self._best_ms[key] / timing.reference_ms
        low = timing.speedup.ci95_low * lost
        return replace(timing, speedup=replace(timing.speedup, ci95_low=low))
