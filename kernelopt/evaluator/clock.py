"""Candidate and reference, timed in turn by the judge's clock on inputs that neither has seen."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernelopt.evaluation import Timing
from kernelopt.evaluator.arena import Slots, set_bytes
from kernelopt.evaluator.inputs import Recipe
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.stats import speedup
from kernelopt.evaluator.worker import Worker

SETTLE_S = 0.002
"""Pause before a batch: idle OpenMP threads of the other process spin for about a millisecond."""

Audit = Callable[[int, list[Any]], None]
Times = tuple[list[float], list[float]]
"""Latencies in ms by round: of the reference, of the candidate."""


@dataclass(slots=True)
class Lane:
    """One process under the clock, with the input sets that it works on."""

    worker: Worker
    slots: Slots
    empty_ms: list[float] = field(default_factory=list)
    """What batches of no calls took: the cost of asking."""

    def batch(self, slots: Sequence[int], timeout_s: float) -> float:
        """Milliseconds for one call on each of the input sets `slots`."""
        time.sleep(SETTLE_S)
        return self.worker.batch(slots, timeout_s)


class Stopwatch:
    """Times one candidate against the reference."""

    def __init__(self, reference: Lane, candidate: Lane, pool: Sequence[list[Any]], settings: Settings):
        self._reference, self._candidate = reference, candidate
        self._pool, self._settings = pool, settings
        self._chance = random.Random()
        self._fed: list[Recipe] = []

    def measure(self, workload_id: str, audit: Audit) -> Timing:
        """Interleaved rounds (reference, candidate, candidate, reference).

        `audit(call, args)` is called after some candidate batches, chosen once they have ended, to
        check the output of a call that was chosen then too; it raises to stop the line.
        """
        calls = self._calibrate()
        times: Times = ([], [])
        started = time.monotonic()
        audit_at = {self._chance.randrange(self._settings.rounds), 0}
        for round_number in range(self._settings.rounds):
            self._round(calls, times, audit if round_number in audit_at else None)
            if self._enough(times, started):
                break
        return self._timing(workload_id, calls, *times)

    def _calibrate(self) -> tuple[int, int]:
        """Warm both sides up, and choose batch sizes of about `batch_ms` (reference, candidate)."""
        counts = []
        for lane in (self._reference, self._candidate):
            # A full batch first: memory that is touched for the first time costs a page fault for
            # every 4 KiB, and the first call starts thread pools.
            self._once(lane, len(lane.slots.views))
            self._feed(lane, [0])
            per_call = min(lane.batch([0], self._settings.run_timeout_s) for _ in range(3))
            wanted = int(self._settings.batch_ms / max(per_call, 1e-3))
            counts.append(max(1, min(wanted, len(lane.slots.views))))
            self._once(lane, counts[-1])
        return counts[0], counts[1]

    def _round(
        self, calls: tuple[int, int], times: tuple[list[float], list[float]], audit: Audit | None
    ) -> None:
        """One latency of each side: the slope between batches of no call and of `calls` calls.

        What a batch of no call costs is the median over many: a single one can be hit by a hiccup
        that is longer than the kernel.
        """
        reference, candidate = self._reference, self._candidate
        for lane in (reference, candidate):
            lane.empty_ms.append(lane.batch([], self._settings.run_timeout_s))
        first = self._once(reference, calls[0])
        second = self._once(candidate, calls[1], audit)
        third = self._once(candidate, calls[1])
        fourth = self._once(reference, calls[0])
        times[0].append(_latency(first + fourth, reference, 2 * calls[0]))
        times[1].append(_latency(second + third, candidate, 2 * calls[1]))

    def _once(self, lane: Lane, calls: int, audit: Audit | None = None) -> float:
        """Milliseconds of one batch, each call on content that no one has seen."""
        slots = self._chance.sample(range(len(lane.slots.views)), calls)
        self._feed(lane, slots)
        elapsed_ms = lane.batch(slots, self._settings.run_timeout_s)
        if audit:
            call = self._chance.randrange(calls)
            audit(call, self._fed[call].args(self._pool))
        lane.worker.drop()
        return elapsed_ms

    def _feed(self, lane: Lane, slots: Sequence[int]) -> None:
        """Fill input sets with content that no one has seen."""
        self._fed = [Recipe.random(len(self._pool), self._chance) for _ in slots]
        for slot, recipe in zip(slots, self._fed, strict=True):
            recipe.pour(lane.slots.views[slot], self._pool)

    def _enough(self, times: Times, started: float) -> bool:
        rounds = len(times[0])
        if rounds < self._settings.min_rounds:
            return False
        if time.monotonic() - started > self._settings.time_cap_s:
            return True
        # Only a hopeless kernel ends early. Stopping whenever the interval looks decided would
        # make it a worse interval: each look is another chance to be wrong.
        return speedup(*times).ci95_high < self._settings.hopeless

    def _timing(
        self, workload_id: str, calls: tuple[int, int], reference: list[float], candidate: list[float]
    ) -> Timing:
        middle = len(reference) // 2
        return Timing(
            workload_id=workload_id,
            candidate_ms=sorted(candidate)[middle],
            reference_ms=sorted(reference)[middle],
            speedup=speedup(reference, candidate),
            rounds=len(reference),
            calls=2 * calls[1] * len(candidate),
            candidate_samples_ms=tuple(candidate),
            reference_samples_ms=tuple(reference),
        )


def _latency(two_batches_ms: float, lane: Lane, calls: int) -> float:
    return max(two_batches_ms - 2 * statistics.median(lane.empty_ms), 1e-6) / calls


def slot_count(pool: Sequence[list[Any]], settings: Settings) -> int:
    """How many input sets to lay out: as many as fit in the arena, within `least_slots` and `max_calls`."""
    fit = settings.arena_bytes // max(set_bytes(pool[0]), 1)
    return max(1, min(settings.max_calls, max(settings.least_slots, fit)))
