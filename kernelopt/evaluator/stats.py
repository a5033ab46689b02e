"""Ratio of two noisy latencies, with a bootstrap confidence interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kernelopt.evaluation import Speedup

RESAMPLES = 2000


def speedup(reference_ms: Sequence[float], candidate_ms: Sequence[float]) -> Speedup:
    """Median of the round-wise ratios reference / candidate, with its 95% interval.

    Both sequences hold one latency per round, in ms, measured side by side, so a drift of the
    machine hits both members of a pair. The interval is the percentile bootstrap (Efron 1979) of
    the median over rounds; fewer than two rounds give no interval worth the name and raise.
    """
    if len(reference_ms) != len(candidate_ms) or len(reference_ms) < 2:
        raise ValueError("a speedup needs at least two paired rounds")
    ratios = np.asarray(reference_ms, dtype=np.float64) / np.asarray(candidate_ms, dtype=np.float64)
    low, high = np.quantile(_medians(ratios), [0.025, 0.975])
    return Speedup(median=float(np.median(ratios)), ci95_low=float(low), ci95_high=float(high))


def _medians(ratios: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Always the same resampling plan: the same samples must give the same interval.
    generator = np.random.default_rng(20240229)
    picks = generator.integers(0, len(ratios), size=(RESAMPLES, len(ratios)))
    medians: npt.NDArray[np.float64] = np.median(ratios[picks], axis=1)
    return medians
