"""Other work on the machine keeps a reference waiting: that must not make a kernel look fast."""

import pytest

from kernelopt.evaluation import Speedup, Timing
from kernelopt.evaluator.timing.pace import SLOWED, Pace


def timing(reference_ms, low=2.0):
    return Timing("timed", 1.0, reference_ms, Speedup(low * 1.5, low, low * 2))


def test_a_first_look_is_believed():
    assert Pace().cautious("softmax", timing(3.0)) == timing(3.0)


def test_what_a_reference_usually_varies_by_alters_nothing():
    pace = Pace()
    for reference_ms in (3.0, 3.0 * SLOWED, 2.5, 2.5 * SLOWED, 3.6):
        assert pace.cautious("softmax", timing(reference_ms)) == timing(reference_ms)


def test_a_slowed_reference_makes_nothing_faster_for_certain():
    pace = Pace()
    pace.slowed("softmax", timing(3.0))
    found = pace.cautious("softmax", timing(60.0)).speedup
    assert found.ci95_low == pytest.approx(0.1)
    assert (found.median, found.ci95_high) == (3.0, 4.0)


def test_what_is_truly_fast_stays_so():
    pace = Pace()
    pace.slowed("softmax", timing(3.0))
    assert pace.cautious("softmax", timing(6.0, low=8.0)).speedup.ci95_low == pytest.approx(4.0)


def test_each_task_has_a_pace_of_its_own():
    pace = Pace()
    pace.slowed("softmax", timing(3.0))
    assert not pace.slowed("matmul", timing(60.0))
    assert pace.slowed("softmax", timing(60.0))


def test_the_best_pace_is_kept():
    pace = Pace()
    for reference_ms in (9.0, 3.0, 4.0):
        pace.slowed("softmax", timing(reference_ms))
    assert pace.slowed("softmax", timing(3.0 * SLOWED + 0.1))
    assert not pace.slowed("softmax", timing(3.0 * SLOWED - 0.1))
