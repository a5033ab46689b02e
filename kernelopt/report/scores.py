"""fast_p, geometric means and which of two kernels is better, as pure functions.

A result is the `Speedup` of a correct and timed kernel, or None for everything else. fast_p is
KernelBench's measure (Ouyang et al., 2025, section 3.3): the fraction of *all* tasks whose kernel is
correct and more than `p` times as fast as the reference. Two readings are reported side by side:

strict  the lower end of the 95 % confidence interval exceeds `p`
point   the median exceeds `p`, which is KernelBench's own definition
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernelopt.evaluation import Evaluation, Speedup, Stage

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
    correct: int
    """Tasks with a correct and timed kernel."""
    fast: Mapping[float, FastP]
    """fast_p by p."""
    geometric_mean: float | None
    """Of the median speedups of the correct ones; None without any."""


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


def score(results: Sequence[Speedup | None], skipped: int = 0) -> Scores:
    """Every figure of one set of tasks; `results` holds one entry for each task that counts."""
    fast = {p: FastP(fast_p(results, p), fast_p(results, p, strict=False)) for p in LEVELS}
    correct = sum(result is not None for result in results)
    return Scores(len(results), skipped, correct, fast, geometric_mean(results))


def better(one: Evaluation, other: Evaluation) -> bool:
    """True when `one` beats `other`: by the lower end of its speedup, else by how far it got.

    The lower end, not the median: among many measurements the highest median is often a lucky one.
    """
    return _rank(one) > _rank(other)


def _rank(evaluation: Evaluation) -> tuple[bool, float, int]:
    speedup = evaluation.speedup
    return evaluation.correct, speedup.ci95_low if speedup else 0.0, _STAGES.index(evaluation.stage)
