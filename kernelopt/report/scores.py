"""fast_p, geometric means and which of two kernels is better, as pure functions.

A result is the `Speedup` of a correct and timed kernel, or None for everything else; where nothing is timed
(`untimed_score`) it is a status, and there is no fast_p. fast_p is
KernelBench's measure (Ouyang et al., 2025, section 3.3): the fraction of *all* tasks whose kernel is
correct and more than `p` times as fast as the reference. Two readings are reported side by side:

strict  the lower end of the 95 % confidence interval exceeds `p`
point   the median exceeds `p`, which is KernelBench's own definition
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kernelopt.evaluation import Evaluation, Speedup, Stage, Status

LEVELS = (0.0, 1.0, 2.0)
_STAGES = list(Stage)


@dataclass(frozen=True, slots=True)
class FastP:
    """One fast_p in both readings, each in [0, 1]."""

    strict: float
    point: float


@dataclass(frozen=True, slots=True)
class Scores:
    """What a set of tasks scored together."""

    n: int
    """Tasks that count, failures included, skipped ones not."""
    skipped: int
    """Tasks that could not be tried here."""
    correct: int | None
    """Tasks with a correct kernel; None where nothing is run, so that nobody knows."""
    fast: Mapping[float, FastP]
    """fast_p by p; empty where nothing is timed."""
    geometric_mean: float | None
    """Of the median speedups of the correct ones; None without any."""
    untimed: str = ""
    """Why there are no speedups, where nothing is timed."""
    compiled: int | None = None
    """Tasks with a kernel that compiled, where nothing is run; else None."""


def fast_p(results: Sequence[Speedup | None], p: float, strict: bool = True) -> float:
    """Fraction of `results` whose speedup is greater than `p` (never equal); 0 for no results."""
    if not results:
        return 0.0
    timed = [result for result in results if result is not None]
    faster = sum((result.ci95_low if strict else result.median) > p for result in timed)
    return faster / len(results)


def geometric_mean(results: Sequence[Speedup | None]) -> float | None:
    """Geometric mean of the median speedups; tasks without one are left out, None if all are.

    Speedups are positive by nature; a figure that is not makes the mean 0.
    """
    medians = [result.median for result in results if result is not None]
    if not medians:
        return None
    if min(medians) <= 0.0:
        return 0.0
    return math.exp(math.fsum(math.log(median) for median in medians) / len(medians))


def geometric_mean_faster(results: Sequence[Speedup | None]) -> float | None:
    """The same over those that are strictly faster than the reference; KernelBench's second mean."""
    return geometric_mean([result for result in results if result is not None and result.median > 1.0])


@dataclass(frozen=True, slots=True)
class Cycles:
    """One NPU kernel that passed."""

    total: float
    """Cycles of one call."""
    vector: float
    """Those in which a vector instruction was issued."""

    @property
    def vectorization(self) -> float:
        """NPUEval's score of one kernel, in [0, 1]; 0 where nothing was measured."""
        return self.vector / self.total if self.total > 0 and math.isfinite(self.total) else 0.0


@dataclass(frozen=True, slots=True)
class NpuScores:
    """NPUEval's aggregates (Kalade and Schelle, 2025, section 4)."""

    n: int
    """Kernels of the set, failures included."""
    passed: int
    functional: float
    """Passes over `n`."""
    vectorization: float
    """Sum of the scores of those that passed, over `n`: a failure counts 0."""
    mean_cycles: float | None
    """Over those that passed and were measured; None without any."""


def npu_score(results: Sequence[Cycles | None]) -> NpuScores:
    """Aggregates over a set; None stands for a kernel that failed."""
    passed = [result for result in results if result is not None]
    n = len(results)
    measured = [result.total for result in passed if result.total > 0 and math.isfinite(result.total)]
    return NpuScores(
        n,
        len(passed),
        len(passed) / n if n else 0.0,
        math.fsum(result.vectorization for result in passed) / n if n else 0.0,
        math.fsum(measured) / len(measured) if measured else None,
    )


def score(results: Sequence[Speedup | None], skipped: int = 0) -> Scores:
    """Every figure of one set of tasks; `results` holds one entry for each task that counts."""
    fast = {p: FastP(fast_p(results, p), fast_p(results, p, strict=False)) for p in LEVELS}
    correct = sum(result is not None for result in results)
    return Scores(len(results), skipped, correct, fast, geometric_mean(results))


def untimed_score(statuses: Sequence[str], skipped: int, why: str, *, runs: bool) -> Scores:
    """What can be counted where nothing is timed; `statuses` holds one entry for each task that counts.

    `runs`: kernels are run and checked; otherwise they are compiled only.
    """
    passed, compiled = statuses.count(Status.PASSED), statuses.count(Status.COMPILED)
    found = Scores(len(statuses), skipped, passed, {}, None, why)
    return found if runs else replace(found, correct=None, compiled=compiled)


def better(one: Evaluation, other: Evaluation) -> bool:
    """True when `one` beats `other`: by the lower end of its speedup, else by how far it got.

    Of two that were only compiled, one that does not spill beats one that does; then fewer flaws count.

    The lower end, not the median: among many measurements the highest median is often a lucky one.
    """
    return _rank(one) > _rank(other)


def _rank(evaluation: Evaluation) -> tuple[bool, bool, float, int, tuple[float, float]]:
    speedup, static = evaluation.speedup, evaluation.profile("static")
    tidy = (-static.metrics["spilled"], static.metrics["clean"]) if static else (0.0, 0.0)
    low = speedup.ci95_low if speedup else 0.0
    return evaluation.correct, evaluation.usable, low, _STAGES.index(evaluation.stage), tidy
