"""When timing stops: as soon as the interval says enough, and at the latest with the last look."""

import itertools
import random

import pytest

from kernelopt.evaluator.claims import Batch
from kernelopt.evaluator.clock import Pair, Stopwatch
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.stats import between_pairs

CALL_MS, ASKING_MS = 0.2, 0.1


class Side:
    """A process whose calls take about so long."""

    def __init__(self, call_ms, chance):
        self.call_ms, self.chance = call_ms, chance

    def batch(self, slots, timeout_s):
        spent_ms = ASKING_MS + len(slots) * self.call_ms * self.chance.uniform(0.99, 1.01)
        return Batch(spent_ms, [[0]] * len(slots), [], spent_ms)

    def precede(self, *, urgent):
        return True


class Inputs:
    """Room for input sets that nobody reads."""

    count = 64

    def pour(self, recipes, pool):
        pass


def timed(ratios, *, thorough):
    """Timing of a candidate that is as many times as fast as the reference, in one pair after the other."""
    chance, ratio = random.Random(1), itertools.cycle(ratios)

    def open_pair(_):
        return Pair(Side(CALL_MS, chance), Side(CALL_MS / next(ratio), chance))

    settings = Settings(thorough=thorough, time_cap_s=60.0)
    return Stopwatch(Inputs(), [1, 2], settings, open_pair, lambda half, refill: None).measure("timed")


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("ratio", [5.0, 0.2])
def test_a_clear_case_needs_one_pair(ratio, thorough):
    assert timed([ratio], thorough=thorough).pairs == 1


def test_pairs_that_disagree_are_as_many_as_there_may_be():
    usual, thorough = (timed([1.0, 1.7], thorough=thorough) for thorough in (False, True))
    assert (usual.pairs, thorough.pairs) == (4, 8)


def test_a_thorough_interval_is_half_as_wide_where_pairs_disagree():
    usual, thorough = (timed([1.1, 1.8], thorough=thorough).speedup for thorough in (False, True))
    assert usual.ci95_low < 1 < thorough.ci95_low
    assert thorough.ci95_high / thorough.ci95_low < (usual.ci95_high / usual.ci95_low) ** 0.55


def test_looks_share_the_chance_to_miss():
    for settings in (Settings(), Settings(thorough=True)):
        assert sum(look.alpha for look in settings.schedule) == pytest.approx(0.05)
        pairs = [look.pairs for look in settings.schedule]
        assert pairs == sorted(set(pairs))


def test_pairs_of_one_speed_show_no_disagreement():
    assert between_pairs([[0.1, 0.2], [0.2, 0.1]]) == 0.0
