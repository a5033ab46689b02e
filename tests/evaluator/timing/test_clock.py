"""What the judge's clock makes of batches, on a machine that lets processes wait."""

from dataclasses import replace

import pytest
from pretended import ASKING_MS, CALL_MS, Inputs, Process

from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.timing.clock import Stopwatch
from kernelopt.evaluator.timing.pair import Pair
from kernelopt.evaluator.workers.claims import Batch


class Side(Process):
    """A process whose batches wait `waits_ms` for a core in turns, which its own clock cannot see."""

    def __init__(self, call_ms=CALL_MS, waits_ms=(0.0,), hidden_ms=0.0):
        self.call_ms, self.waits_ms, self.hidden_ms = call_ms, waits_ms, hidden_ms
        self.served = 0

    def batch(self, slots, timeout_s):
        wait_ms = self.waits_ms[self.served % len(self.waits_ms)]
        self.served += 1
        spent_ms = len(slots) * self.call_ms
        return Batch(ASKING_MS + wait_ms + spent_ms, [[0]] * len(slots), [], spent_ms - self.hidden_ms)


def measured(reference, candidate):
    """The stopwatch, and what it found."""
    settings = replace(Settings().precise("quick"), time_cap_s=60.0)
    pair = Pair(reference, candidate)
    stopwatch = Stopwatch(Inputs(), [[], []], settings, lambda _: pair, lambda half, refill: None)
    return stopwatch, stopwatch.measure("timed")


RESTS = (0.0,) * 10_000


@pytest.mark.parametrize("waits_ms", [(27.0,), (0.0, 27.0, 27.0, 27.0, *RESTS)], ids=["all", "empty ones"])
def test_the_clocks_of_an_honest_kernel_agree_where_batches_wait_for_a_core(waits_ms):
    stopwatch, _ = measured(Side(waits_ms=waits_ms), Side(waits_ms=waits_ms[:1]))
    assert stopwatch.gap_ms() == pytest.approx(0.0)


def test_a_kernel_that_hides_time_from_its_own_clock_is_seen_beside_the_reference():
    stopwatch, _ = measured(Side(waits_ms=(27.0,)), Side(waits_ms=(27.0,), hidden_ms=40.0))
    assert stopwatch.gap_ms() == pytest.approx(40.0)


def test_empty_batches_that_wait_do_not_make_one_side_look_faster():
    """Of the first four batches, which are empty, two wait: the one that does not tells what asking costs."""
    _, timing = measured(Side(waits_ms=(0.0, 5.0, 5.0, *RESTS)), Side(CALL_MS / 1.5))
    assert timing.speedup.median == pytest.approx(1.5, rel=0.02)
