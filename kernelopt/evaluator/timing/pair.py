"""Two processes that are timed against each other, and what stands there after half a round."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kernelopt.evaluator.data.recipe import Recipe
from kernelopt.evaluator.workers.claims import Batch
from kernelopt.evaluator.workers.worker import Worker


@dataclass(slots=True)
class Pair:
    """A process of the reference and one of the candidate, timed against each other."""

    reference: Worker
    candidate: Worker
    calls: tuple[int, int] = (0, 0)
    """Calls in a batch of the reference, of the candidate; 0 where that is not known yet."""
    reference_ms: list[float] = field(default_factory=list)
    """Latency by round."""
    candidate_ms: list[float] = field(default_factory=list)
    turn: int = 0
    """Rounds that there were, whether they count or not."""
    looked: frozenset[int] = frozenset()
    """Which of them do not: in these the candidate is looked at."""

    def precede(self) -> None:
        """Let both sides precede what else runs here, or neither."""
        if not (self.reference.precede(urgent=True) and self.candidate.precede(urgent=True)):
            self.reference.precede(urgent=False)
            self.candidate.precede(urgent=False)

    def logs(self) -> list[float]:
        """Log of the speedup by round."""
        sides = zip(self.reference_ms, self.candidate_ms, strict=True)
        return [math.log(reference / candidate) for reference, candidate in sides]


@dataclass(frozen=True, slots=True)
class Half:
    """Both sides have worked on the same input sets, and stand still with their outputs in memory."""

    pair: Pair
    reference: Batch
    candidate: Batch
    slots: tuple[Sequence[int], Sequence[int]]
    """Input sets in the order of the calls, of the reference and of the candidate."""
    recipes: dict[int, Recipe]
    """What was poured into each input set."""


class Audit(Protocol):
    """Looks at the outputs of a half; raises to stop the line."""

    def __call__(self, half: Half, refill: Callable[[], None]) -> None:
        """`refill` overwrites the input sets, which must not alter an output."""
