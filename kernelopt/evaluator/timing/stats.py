"""Ratio of two noisy latencies, with a confidence interval that knows of processes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from kernelopt.evaluation import Speedup

LEAST_FREEDOM = 4
"""Degrees of freedom below which no interval is made: that many rounds show no spread worth the name."""

PAIRS_FREEDOM = 3
"""Process pairs less one from which on their own disagreement is taken at its word."""

Pairs = Sequence[Sequence[float]]
"""One sequence a process pair: the log of reference over candidate latency, one number a round."""


def speedup(pairs: Pairs, between_sd: float, alpha: float = 0.05) -> Speedup:
    """Geometric mean of the pairs' ratios, with a two-sided interval that misses with chance `alpha`.

    The ratio of a pair is the geometric mean of its rounds'. No pair is without a round.

    Two things make a mean of rounds miss the truth. Rounds scatter: that part is Student's t interval
    of their logs, spread taken within pairs. And two processes of the same code differ for as long as
    they live (their memory lies elsewhere), by a standard deviation `between_sd` of the log ratio which
    `kernelopt calibrate` measures; rounds of one pair share it. Where the pairs at hand disagree by more
    than their rounds and `between_sd` explain, the disagreement counts instead, with Student's t of the
    few pairs that show it. Both parts add as variances do.

    Raises:
        ValueError: fewer than `LEAST_FREEDOM` rounds more than pairs.
    """
    rounds = sum(map(len, pairs))
    freedom = rounds - len(pairs)
    if freedom < LEAST_FREEDOM:
        raise ValueError(f"a speedup needs {LEAST_FREEDOM} rounds more than process pairs")
    center = statistics.fmean(map(statistics.fmean, pairs))
    within = math.sqrt(sum(_squares(pair) for pair in pairs) / freedom)
    weight = math.sqrt(math.fsum(1 / len(pair) for pair in pairs)) / len(pairs)
    scatter = student_t(1 - alpha / 2, freedom) * within * weight
    offset = _between(pairs, between_sd, alpha) / math.sqrt(len(pairs))
    half = math.hypot(scatter, offset)
    return Speedup(math.exp(center), math.exp(center - half), math.exp(center + half))


def _between(pairs: Pairs, between_sd: float, alpha: float) -> float:
    """How far one pair may be off: quantile times standard deviation.

    A figure of the machine is known well, so its quantile is the normal one. What the pairs at hand show
    is known from `len(pairs) - 1` degrees of freedom; from `PAIRS_FREEDOM` on they speak for themselves,
    and the wider of the two counts. Of fewer pairs Student's t would never come to a decision.
    """
    found, freedom = between_pairs(pairs), len(pairs) - 1
    known = statistics.NormalDist().inv_cdf(1 - alpha / 2) * max(between_sd, found)
    if freedom < PAIRS_FREEDOM:
        return known
    return max(known, student_t(1 - alpha / 2, freedom) * found)


def between_pairs(pairs: Pairs) -> float:
    """Standard deviation between process pairs that the scatter of their rounds does not explain.

    The variance component of a one-way analysis of variance (for pairs of equally many rounds), 0 where
    it comes out negative or there is one pair only.
    """
    freedom = sum(map(len, pairs)) - len(pairs)
    if len(pairs) < 2 or freedom < 1:
        return 0.0
    return math.sqrt(max(between_variance(pairs), 0.0))


def between_variance(pairs: Pairs) -> float:
    """The square of `between_pairs`, negative where it comes out so: its mean over trials is unbiased.

    Needs two pairs, and more rounds than pairs.
    """
    means = [statistics.fmean(pair) for pair in pairs]
    per_pair = len(pairs) / sum(1 / len(pair) for pair in pairs)
    return statistics.variance(means) - within_variance(pairs) / per_pair


def within_variance(pairs: Pairs) -> float:
    """Variance of rounds around the mean of their pair. Needs more rounds than pairs."""
    return sum(_squares(pair) for pair in pairs) / (sum(map(len, pairs)) - len(pairs))


def student_t(chance: float, freedom: int) -> float:
    """Quantile of Student's t distribution, by Abramowitz and Stegun 26.7.5.

    Within 1% of the exact value for `freedom` of 3 and more and `chance` up to 0.995; 0.5% from 4 on.
    """
    x = statistics.NormalDist().inv_cdf(chance)
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return x + sum(float(term) / float(freedom**power) for power, term in enumerate(terms, start=1))


def _squares(pair: Sequence[float]) -> float:
    """Sum of squared deviations from the pair's mean."""
    mean = statistics.fmean(pair) if pair else 0.0
    return float(sum((value - mean) ** 2 for value in pair))
