"""fast_p and the geometric mean against definitions written here, independently."""

import math
from fractions import Fraction

import pytest
import sample_run as sample
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.evaluation import Speedup, Status
from kernelopt.report.scores import LEVELS, better, fast_p, geometric_mean, score, untimed_score


def exactly(ratio):
    return Speedup(ratio, ratio, ratio)


# Values that meet the thresholds exactly come up often: the edges are where definitions differ.
ratios = st.sampled_from([0.5, 1.0, 2.0, math.nextafter(1.0, 2), math.nextafter(1.0, 0)]) | st.floats(
    1e-3, 1e3
)
speedups = st.lists(ratios, min_size=3, max_size=3).map(sorted).map(lambda r: Speedup(r[1], r[0], r[2]))
result_sets = st.lists(st.none() | speedups, max_size=40)
thresholds = st.sampled_from(LEVELS) | ratios


@settings(max_examples=1000, deadline=None)
@given(result_sets, thresholds)
def test_fast_p_counts_every_task_and_only_what_is_strictly_faster(results, p):
    strict = point = 0
    for result in results:
        if result is None:
            continue
        if not result.ci95_low <= p:
            strict += 1
        if not result.median <= p:
            point += 1
    n = len(results) or 1
    assert Fraction(fast_p(results, p)).limit_denominator(1000) == Fraction(strict, n)
    assert Fraction(fast_p(results, p, strict=False)).limit_denominator(1000) == Fraction(point, n)


@settings(deadline=None)
@given(result_sets, thresholds, thresholds)
def test_fast_p_falls_with_p_and_strict_is_never_above_point(results, p, q):
    for strict in (True, False):
        assert fast_p(results, min(p, q), strict) >= fast_p(results, max(p, q), strict)
    assert fast_p(results, p) <= fast_p(results, p, strict=False)


@settings(deadline=None)
@given(result_sets, thresholds)
def test_a_further_failure_lowers_fast_p_in_proportion(results, p):
    n = len(results)
    assert fast_p([*results, None], p) == pytest.approx(fast_p(results, p) * n / (n + 1))


@settings(max_examples=1000, deadline=None)
@given(result_sets)
def test_the_geometric_mean_is_the_nth_root_of_the_product_over_correct_tasks(results):
    medians = [result.median for result in results if result is not None]
    mean = geometric_mean(results)
    if not medians:
        assert mean is None
    else:
        product = math.prod(map(Fraction, medians))  # exact: no overflow, no rounding
        log2 = math.log2(product.numerator) - math.log2(product.denominator)
        assert mean == pytest.approx(2 ** (log2 / len(medians)), rel=1e-9)


@settings(deadline=None)
@given(result_sets, st.integers(0, 5))
def test_score_holds_all_the_figures(results, skipped):
    scores = score(results, skipped)
    assert (scores.n, scores.skipped) == (len(results), skipped)
    assert scores.correct == sum(result is not None for result in results)
    assert scores.geometric_mean == geometric_mean(results)
    assert {p: (f.strict, f.point) for p, f in scores.fast.items()} == {
        p: (fast_p(results, p), fast_p(results, p, strict=False)) for p in (0.0, 1.0, 2.0)
    }


def test_parity_is_not_faster():
    assert fast_p([exactly(1.0)], 1.0) == fast_p([exactly(1.0)], 1.0, strict=False) == 0.0
    assert fast_p([exactly(math.nextafter(1.0, 2))], 1.0) == 1.0


def test_an_interval_that_holds_p_is_faster_by_point_only():
    wide = Speedup(median=1.2, ci95_low=0.9, ci95_high=1.5)
    assert fast_p([wide], 1.0) == 0.0
    assert fast_p([wide], 1.0, strict=False) == 1.0


def test_fast_0_is_the_share_of_correct_tasks():
    assert fast_p([exactly(0.01), None, exactly(3.0), None], 0.0) == 0.5


def test_a_figure_that_is_not_a_number_is_never_faster():
    assert fast_p([exactly(math.nan)], 0.0) == fast_p([exactly(math.nan)], 0.0, strict=False) == 0.0


def test_nothing_scores_nothing():
    assert fast_p([], 1.0) == 0.0
    assert geometric_mean([]) is None and geometric_mean([None]) is None
    assert geometric_mean([exactly(0.0), exactly(2.0)]) == 0.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sample.FAST, sample.LUCKY),
        (sample.SLOW, sample.WRONG),
        (sample.WRONG, sample.NO_BUILD),
        (sample.passed("1/1", "a", 1.1, 1.2, 1.3), sample.passed("1/1", "b", 1.0, 1.2, 1.3)),
    ],
)
def test_better_is_a_strict_order(one, other):
    assert better(one, other) and not better(other, one) and not better(one, one)


statuses = st.lists(st.sampled_from([*Status, "PENDING"]), max_size=40)


@given(statuses, st.integers(0, 5))
def test_where_nothing_is_timed_what_passed_is_correct_and_there_is_no_fast_p(found, skipped):
    scores = untimed_score(found, skipped, "interpreted", runs=True)
    assert (scores.n, scores.skipped, scores.untimed) == (len(found), skipped, "interpreted")
    assert scores.correct == sum(status == "PASSED" for status in found)
    assert not scores.fast and scores.geometric_mean is None and scores.compiled is None


@given(statuses, st.integers(0, 5))
def test_where_nothing_is_run_nobody_knows_what_is_correct(found, skipped):
    scores = untimed_score(found, skipped, "compile only", runs=False)
    assert scores.correct is None and not scores.fast
    assert scores.compiled == sum(status == "COMPILED" for status in found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sample.compiled("1/1", "a", 0, 1.0), sample.compiled("1/1", "b", 0, 0.8)),
        (sample.compiled("1/1", "a", 0, 0.1), sample.compiled("1/1", "b", 1, 0.9)),
        (sample.compiled("1/1", "a", 1, 0.1), sample.NO_BUILD),
        (sample.SLOW, sample.compiled("1/1", "b", 0, 1.0)),
    ],
)
def test_of_compiled_kernels_the_one_with_fewer_flaws_is_better(one, other):
    assert better(one, other) and not better(other, one)
