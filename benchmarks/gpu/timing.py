"""Two sides by turns, by two clocks, on inputs that no cache still holds.

A batch is a number of calls between two synchronisations; it is timed by CUDA events around the calls and
by the host's clock around the synchronisations. Batches go A B B A, then B A A B: whatever drifts in the
meantime meets both sides alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

BATCH_MS = 12.0
"""Least length of a batch: the two clocks then differ by less than a percent."""
ROUNDS, LEAST_ROUNDS = 24, 8
Call = Callable[[int], object]
"""Does one call on the input set of that number."""


class Clock(Protocol):
    """Times a piece of work."""

    def time(self, work: Callable[[], object]) -> tuple[float, float]:
        """Milliseconds by the device's clock and by the host's."""


class CudaClock:
    """Events on the current stream, and the host's clock between synchronisations."""

    def time(self, work: Callable[[], object]) -> tuple[float, float]:
        """Milliseconds by events and by the host."""
        import torch  # noqa: PLC0415 - tests of the arithmetic need no torch

        begun, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        started = time.perf_counter()
        begun.record()
        work()
        ended.record()
        torch.cuda.synchronize()
        return begun.elapsed_time(ended), (time.perf_counter() - started) * 1e3


class HostClock:
    """For work that is done when the call returns."""

    def time(self, work: Callable[[], object]) -> tuple[float, float]:
        """The same milliseconds twice."""
        started = time.perf_counter()
        work()
        spent_ms = (time.perf_counter() - started) * 1e3
        return spent_ms, spent_ms


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kernel against one baseline."""

    speedup: float
    """Median over rounds of baseline time over kernel time, by the host's clock."""
    low: float
    high: float
    """95% interval by resampling rounds (percentile bootstrap)."""
    by_events: float
    """The same median by CUDA events: another clock's opinion."""
    kernel_ms: float
    """Median time of a call by events."""
    baseline_ms: float
    rounds: int


def compare(kernel: Call, baseline: Call, sets: int, clock: Clock, budget_s: float) -> Comparison:
    """Take turns until the rounds or the time are used up; at least `LEAST_ROUNDS` rounds."""
    sides = {"a": Side(kernel, sets, clock), "b": Side(baseline, sets, clock)}
    began, rounds = time.monotonic(), []
    while len(rounds) < ROUNDS and (len(rounds) < LEAST_ROUNDS or time.monotonic() - began < budget_s):
        order = "abba" if len(rounds) % 2 == 0 else "baab"
        taken: dict[str, list[tuple[float, float]]] = {"a": [], "b": []}
        for side in order:
            taken[side].append(sides[side].batch())
        rounds.append(taken)
    by_events, by_host = (_ratios(rounds, clock_number) for clock_number in (0, 1))
    low, high = bootstrap(by_host)
    return Comparison(
        speedup=statistics.median(by_host),
        low=low,
        high=high,
        by_events=statistics.median(by_events),
        kernel_ms=statistics.median(one[0] for taken in rounds for one in taken["a"]),
        baseline_ms=statistics.median(one[0] for taken in rounds for one in taken["b"]),
        rounds=len(rounds),
    )


class Side:
    """One of the two, with as many calls a batch as make it long enough."""

    def __init__(self, call: Call, sets: int, clock: Clock) -> None:
        self._call, self._sets, self._clock, self._next = call, sets, clock, 0
        self._count = 1
        self._run()  # builds, first touches
        for _ in range(12):
            spent_ms = min(clock.time(self._run))
            if spent_ms >= BATCH_MS / 2:
                break
            self._count = min(self._count * 4, int(self._count * BATCH_MS / max(spent_ms, 1e-3)) + 1)
        self._count = max(1, round(self._count * BATCH_MS / max(spent_ms, 1e-3)))

    def batch(self) -> tuple[float, float]:
        """Milliseconds of a call by either clock."""
        device, host = self._clock.time(self._run)
        return device / self._count, host / self._count

    def _run(self) -> None:
        for _ in range(self._count):
            self._call(self._next % self._sets)
            self._next += 1


def _ratios(rounds: Sequence[dict[str, list[tuple[float, float]]]], clock: int) -> list[float]:
    return [sum(b[clock] for b in one["b"]) / sum(a[clock] for a in one["a"]) for one in rounds]


def bootstrap(values: Sequence[float], draws: int = 4000, seed: int = 0) -> tuple[float, float]:
    """95% interval of the median by resampling."""
    generator = np.random.default_rng(seed)
    picked = generator.integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(np.median(np.asarray(values)[picked], axis=1), [0.025, 0.975])
    return float(low), float(high)
