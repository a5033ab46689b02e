"""When timing stops: as soon as the interval says enough, and at the latest with the last look."""

import itertools
import random
from dataclasses import replace

import pytest
import torch
from pretended import ASKING_MS, CALL_MS, Inputs, Process

from kernelopt.evaluator.settings import PRECISIONS, Settings
from kernelopt.evaluator.timing.clock import Stopwatch
from kernelopt.evaluator.timing.pair import Pair
from kernelopt.evaluator.timing.stats import between_pairs
from kernelopt.evaluator.workers.claims import Batch


class Side(Process):
    """A process whose calls take about so long."""

    def __init__(self, call_ms, chance):
        self.call_ms, self.chance = call_ms, chance

    def batch(self, slots, timeout_s):
        spent_ms = ASKING_MS + len(slots) * self.call_ms * self.chance.uniform(0.99, 1.01)
        return Batch(spent_ms, [[0]] * len(slots), [], spent_ms)


def timed(ratios, precision="usual"):
    """Timing of a candidate that is as many times as fast as the reference, in one pair after the other."""
    chance, ratio = random.Random(1), itertools.cycle(ratios)

    def open_pair(_):
        return Pair(Side(CALL_MS, chance), Side(CALL_MS / next(ratio), chance))

    settings = replace(Settings().precise(precision), time_cap_s=60.0)
    return Stopwatch(Inputs(), [[], []], settings, open_pair, lambda half, refill: None).measure("timed")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("ratio", [5.0, 0.2])
def test_a_clear_case_needs_one_pair(ratio, precision):
    assert timed([ratio], precision).pairs == 1


def test_a_quick_one_has_one_pair_whatever_it_shows():
    quick, usual = timed([1.05], "quick"), timed([1.05])
    assert (quick.pairs, usual.pairs) == (1, 4)
    assert quick.speedup.ci95_low < usual.speedup.ci95_low < 1.05 < usual.speedup.ci95_high


def test_a_quick_one_lets_both_sides_work_once_a_round_in_turns():
    order = []

    class Seen(Side):
        def batch(self, slots, timeout_s):
            order.append(self)
            return super().batch(slots, timeout_s)

    chance = random.Random(1)
    pair = Pair(Seen(CALL_MS, chance), Seen(CALL_MS, chance))
    settings = Settings().precise("quick")
    Stopwatch(Inputs(), [[], []], settings, lambda _: pair, lambda half, refill: None).measure("timed")
    rounds = [order[at] is pair.reference for at in range(len(order) - 12, len(order))]
    assert rounds == [True, False, False, True] * 3


@pytest.mark.parametrize("precision", PRECISIONS)
def test_both_sides_get_warm_with_as_many_batches(precision):
    """A process gets faster with each: a kernel that is the reference would look faster than it is."""

    class Counted(Side):
        served = 0

        def batch(self, slots, timeout_s):
            self.served += bool(slots)
            return super().batch(slots, timeout_s)

    chance = random.Random(1)
    pairs = []

    def open_pair(_):
        calls = pairs[0].calls if pairs else (16, 0)  # the reference's are known from the kernel before
        pairs.append(Pair(Counted(CALL_MS, chance), Counted(CALL_MS, chance), calls))
        return pairs[-1]

    settings = replace(Settings().precise(precision), time_cap_s=60.0)
    Stopwatch(Inputs(), [[], []], settings, open_pair, lambda half, refill: None).measure("timed")
    assert [pair.reference.served for pair in pairs] == [pair.candidate.served for pair in pairs]


def test_pairs_that_disagree_are_as_many_as_there_may_be():
    usual, thorough = (timed([1.0, 1.7], precision) for precision in ("usual", "thorough"))
    assert (usual.pairs, thorough.pairs) == (4, 8)


def test_a_thorough_interval_is_half_as_wide_where_pairs_disagree():
    usual, thorough = (timed([1.1, 1.8], precision).speedup for precision in ("usual", "thorough"))
    assert usual.ci95_low < 1 < thorough.ci95_low
    assert thorough.ci95_high / thorough.ci95_low < (usual.ci95_high / usual.ci95_low) ** 0.55


@pytest.mark.parametrize("before", PRECISIONS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_nothing_of_one_precision_is_left_in_another(before, precision):
    assert Settings(seeds=3).precise(before).precise(precision) == Settings(seeds=3).precise(precision)
    assert Settings().precise("usual") == Settings()


def test_looks_share_the_chance_to_miss():
    for looks in (Settings().precise(precision).looks for precision in PRECISIONS):
        assert sum(look.alpha for look in looks) == pytest.approx(0.05)
        pairs = [look.pairs for look in looks]
        assert pairs == sorted(set(pairs))


def test_pairs_of_one_speed_show_no_disagreement():
    assert between_pairs([[0.1, 0.2], [0.2, 0.1]]) == 0.0


def poured(pool):
    """Numbers of the input sets that were renewed each time; a batch is of fewer calls than sets."""
    seen = []

    class Told(Inputs):
        def pour(self, recipes, pool):
            seen.append(set(recipes))

    chance = random.Random(1)
    settings = Settings().precise("quick")
    pair = Pair(Side(CALL_MS, chance), Side(CALL_MS, chance))
    Stopwatch(Told(), pool, settings, lambda _: pair, lambda half, refill: None).measure("timed")
    return seen


def test_which_sets_were_renewed_does_not_tell_which_ones_a_batch_uses():
    """Or the first call could find the inputs of all others by what has changed, and share work."""
    small, large = [torch.zeros(1 << 10)], [torch.zeros(1 << 22)]
    assert all(each == set(range(Inputs.count)) for each in poured([small, small]))
    assert all(each < set(range(Inputs.count)) for each in poured([large, large]))
