"""The score of a rollout: bounded, monotone, half at parity, nothing for tricks."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluation import Evaluation, Profile, Speedup, Stage, Status, Timing
from kernelopt.search.acceptance import LEAST_GAIN, NoiseAwareAcceptance, margin
from kernelopt.search.rollout import Attempt, Rollout, candidate_hash
from kernelopt.search.score import correct_score, explain_score, score

speedups = st.floats(0.0, 1e6)


def evaluation(status, stage, speedup=None):
    timing = Timing("timed", 1.0, speedup or 1.0, Speedup(speedup, speedup, speedup)) if speedup else None
    return Evaluation("t", "s", "k", "cpp", "cpu", "process", status, stage, timing=timing)


def rollout(kernel, low, high):
    middle = (low + high) / 2
    attempt = Attempt(
        "generate",
        kernel,
        Status.PASSED,
        Stage.DONE,
        correct_score(middle),
        Speedup(middle, low, high),
        False,
        "",
    )
    return Rollout("c", "t", (attempt,))


def test_parity_is_one_half():
    assert correct_score(1.0) == 0.5


@given(speedups, speedups)
def test_faster_is_never_worse(a, b):
    assert (correct_score(a) <= correct_score(b)) == (a <= b) or correct_score(a) == correct_score(b)


@given(speedups)
def test_scores_stay_between_the_credit_for_correctness_and_one(speedup):
    assert 0.25 <= correct_score(speedup) <= 1.0


def test_each_stage_is_worth_more_than_the_one_before():
    nothing = score(evaluation(Status.BUILD_FAILED, Stage.BUILD))
    built = score(evaluation(Status.CRASHED, Stage.RUN))
    ran = score(evaluation(Status.WRONG_VALUE, Stage.CHECK))
    slow = score(evaluation(Status.PASSED, Stage.DONE, 0.01))
    assert 0 == nothing < built < ran < slow < score(evaluation(Status.PASSED, Stage.DONE, 1.0))


@pytest.mark.parametrize("stage", [Stage.STATIC, Stage.TIME])
def test_a_suspect_answer_gets_nothing(stage):
    assert score(evaluation(Status.SUSPECT, stage, 50.0)) == 0.0
    assert "suspect" in explain_score(evaluation(Status.SUSPECT, stage, 50.0))


def test_the_same_kernel_is_no_gain_and_has_no_noise():
    assert margin([rollout("a", 0.9, 1.1)], [rollout("a", 0.9, 1.1)]) == LEAST_GAIN


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_wider_intervals_ask_for_more(narrow, wide):
    def needed(width):
        return margin([rollout("a", 1.0, 1.0 + width)], [rollout("b", 1.0, 1.0 + width)])

    assert (needed(narrow) <= needed(wide)) == (narrow <= wide) or needed(narrow) == pytest.approx(
        needed(wide)
    )


class Proposal:
    """What gepa hands to an acceptance criterion."""

    def __init__(self, before, after):
        class Side:
            def __init__(self, rollouts):
                self.trajectories = rollouts

        self.eval_before, self.eval_after = Side(before), Side(after)
        self.subsample_scores_before = [one.score for one in before]
        self.subsample_scores_after = [one.score for one in after]


@pytest.mark.parametrize(
    ("before", "after", "accepted"),
    [
        (("a", 0.9, 1.1), ("b", 1.9, 2.1), True),
        (("a", 0.9, 1.1), ("b", 0.95, 1.12), False),  # within the noise
        (("a", 0.9, 1.1), ("a", 0.9, 1.1), False),
        (("a", 1.9, 2.1), ("b", 0.9, 1.1), False),
    ],
)
def test_only_a_gain_above_the_noise_is_accepted(before, after, accepted):
    heard = []
    criterion = NoiseAwareAcceptance(lambda *what: heard.append(what[1]))
    assert criterion.should_accept(Proposal([rollout(*before)], [rollout(*after)]), None) is accepted
    assert heard == [accepted]


def test_a_rollout_survives_its_journal_form():
    original = rollout("a", 0.9, 1.1)
    assert Rollout.from_json(original.to_json()) == original


def test_a_candidate_s_hash_does_not_depend_on_the_order_of_its_parts():
    assert candidate_hash({"a": "1", "b": "2"}) == candidate_hash({"b": "2", "a": "1"})


def compiled(spilled, clean):
    static = Profile("static", {"kernels": 1.0, "spilled": spilled, "clean": clean}, "narrow loads")
    return dataclasses.replace(evaluation(Status.COMPILED, Stage.BUILD), profiles=(static,))


def test_where_nothing_is_run_compiled_without_spills_beats_compiled_beats_nothing():
    failed = score(evaluation(Status.BUILD_FAILED, Stage.BUILD))
    spilled, plain, good = score(compiled(1.0, 0.9)), score(compiled(0.0, 0.0)), score(compiled(0.0, 1.0))
    ran = score(evaluation(Status.WRONG_VALUE, Stage.CHECK))
    assert failed < spilled < plain < good < ran
    assert "compiled, not run; against it: narrow loads" in explain_score(compiled(0.0, 0.5))


@given(st.floats(0, 1), st.floats(0, 1))
def test_fewer_flaws_are_never_worse(a, b):
    assert (score(compiled(0.0, a)) <= score(compiled(0.0, b))) or a > b
