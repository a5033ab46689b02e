"""Is a child better than its parent, or was the clock kind to it?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kernelopt.search.rollout import Rollout
from kernelopt.search.score import score_deviation

Z = 1.645
"""One-sided 95% of the normal distribution: a child that is as good as its parent passes one time in
twenty. With gepa's strict improvement it passes every second time."""
LEAST_GAIN = 1e-3
"""Sums of scores that differ by less are equal, whatever the intervals say."""

Decision = Callable[[Any, bool, float], None]


def margin(before: Sequence[Rollout], after: Sequence[Rollout]) -> float:
    """How much the sum of scores must grow to be believed, from the intervals of the speedups.

    Where parent and child wrote the same kernel the scores are one measurement: no noise, no gain.
    """
    variance = 0.0
    for old, new in zip(before, after, strict=True):
        if old.best.kernel is None or old.best.kernel != new.best.kernel:
            variance += score_deviation(old.best.speedup) ** 2 + score_deviation(new.best.speedup) ** 2
    return max(Z * math.sqrt(variance), LEAST_GAIN)


class NoiseAwareAcceptance:
    """gepa's `AcceptanceCriterion`: the gain must exceed the measured noise."""

    def __init__(self, decided: Decision):
        """`decided(proposal, accepted, margin)` hears of every decision."""
        self._decided = decided

    def should_accept(self, proposal: Any, state: Any) -> bool:
        """Whether the sum of scores on the minibatch grew by more than the margin."""
        needed = margin(proposal.eval_before.trajectories, proposal.eval_after.trajectories)
        gain = sum(proposal.subsample_scores_after) - sum(proposal.subsample_scores_before)
        accepted = bool(gain > needed)
        self._decided(proposal, accepted, needed)
        return accepted
