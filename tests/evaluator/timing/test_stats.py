"""The interval of a speedup."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluator.timing.stats import between_pairs, speedup, student_t

logs = st.lists(st.floats(-3, 3), min_size=3, max_size=12)


@given(st.floats(-3, 3), st.integers(1, 4))
def test_a_constant_ratio_has_no_spread(log_ratio, pairs):
    found = speedup([[log_ratio] * 6] * pairs, between_sd=0.0)
    for value in (found.median, found.ci95_low, found.ci95_high):
        assert value == pytest.approx(math.exp(log_ratio))


@given(st.lists(logs, min_size=2, max_size=4), st.floats(0, 0.3), st.floats(0.01, 0.1))
def test_the_interval_holds_the_ratio_and_grows_with_what_is_not_known(pairs, between, alpha):
    found = speedup(pairs, between, alpha)
    assert found.ci95_low <= found.median <= found.ci95_high
    wider = speedup(pairs, between + 0.1, alpha / 2)
    assert wider.ci95_low <= found.ci95_low * (1 + 1e-9) and wider.ci95_high >= found.ci95_high * (1 - 1e-9)


def test_pairs_that_disagree_widen_the_interval_even_if_their_rounds_agree():
    agree = speedup([[0.1, 0.11, 0.09], [0.1, 0.11, 0.09]], 0.0)
    disagree = speedup([[0.3, 0.31, 0.29], [-0.1, -0.09, -0.11]], 0.0)
    assert agree.ci95_low > 1.0 > disagree.ci95_low


@pytest.mark.parametrize("pairs", [[], [[1.0]], [[1.0, 2.0], [1.0, 2.0]], [[0.0] * 4]])
def test_too_few_rounds_are_refused(pairs):
    with pytest.raises(ValueError, match="more than process pairs"):
        speedup(pairs, 0.03)


# Exact values of the t distribution's quantiles (tables in any textbook).
@pytest.mark.parametrize(
    ("chance", "freedom", "exact"),
    [(0.975, 4, 2.776), (0.995, 4, 4.604), (0.975, 10, 2.228), (0.995, 20, 2.845)],
)
def test_student_t_agrees_with_the_tables(chance, freedom, exact):
    assert student_t(chance, freedom) == pytest.approx(exact, rel=0.005)


def test_the_spread_between_pairs_is_found():
    generator = np.random.default_rng(3)
    offsets = generator.normal(0, 0.2, 60)
    pairs = [(offset + generator.normal(0, 0.05, 6)).tolist() for offset in offsets]
    assert between_pairs(pairs) == pytest.approx(0.2, rel=0.25)


def test_equal_kernels_are_rarely_called_faster():
    """A/A on synthetic noise, pairs offset as `between_sd` says: above 1 in 2.5% of trials."""
    generator = np.random.default_rng(7)
    faster = 0
    for _ in range(1000):
        pairs = [(generator.normal(0, 0.03) + generator.normal(0, 0.1, 6)).tolist() for _ in range(2)]
        faster += speedup(pairs, 0.03).ci95_low > 1
    assert faster <= 40


def test_nor_are_they_where_processes_differ_more_than_the_machine_is_known_for():
    """Four pairs at twice the noise that was calibrated, as on a busy machine."""
    generator = np.random.default_rng(11)
    faster = 0
    for _ in range(1000):
        pairs = [(generator.normal(0, 0.16) + generator.normal(0, 0.1, 3)).tolist() for _ in range(4)]
        faster += speedup(pairs, 0.08, alpha=0.025).ci95_low > 1
    assert faster <= 25


def test_two_pairs_are_too_few_to_be_taken_at_their_word():
    found = speedup([[1.0, 1.01, 0.99], [1.2, 1.21, 1.19]], 0.08)
    assert found.ci95_low > 2.0
