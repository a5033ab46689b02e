"""What a reflection may and may not do to a component."""

import pytest

from kernelopt.evaluation import Speedup, Stage, Status
from kernelopt.search.reflect import LONGEST_TEXT, Narrator, choose_component, new_text
from kernelopt.search.rollout import Attempt, Rollout


@pytest.mark.parametrize(
    ("reply", "finish"),
    [
        ("", "empty"),
        ("```\nnew text\n```", "length"),
        ("```\nnew te", "stop"),
        ("no fence at all", "stop"),
        ("```\n\n```", "stop"),
        ("```\ncurrent\n```", "stop"),
        (f"```\n{'x' * (LONGEST_TEXT + 1)}\n```", "stop"),
    ],
)
def test_empty_truncated_overlong_or_unchanged_replies_replace_nothing(reply, finish):
    assert new_text(reply, finish, "current") is None


def test_a_whole_reply_does():
    assert new_text("Thinking.\n```\nbetter\n```", "stop", "current") == "better"


def test_the_query_is_worked_on_only_where_there_is_an_index():
    with_index = {choose_component(i, retrieval=True) for i in range(20)}
    without = {choose_component(i, retrieval=False) for i in range(20)}
    assert with_index - without == {"retrieval_query"}


def attempt(step, kernel, status, score, speedup=None):
    return Attempt(step, kernel, status, Stage.DONE, score, speedup, False, "because")


FAILED = attempt("generate", "k1", Status.WRONG_VALUE, 0.1)
MENDED = attempt("refine-1", "k2", Status.PASSED, 0.6, Speedup(1.5, 1.4, 1.6))
ROLLOUT = Rollout("c", "t", (FAILED, MENDED), queries=("softmax", "softmax tail"))
NARRATOR = Narrator(
    {"t": "class Model: ..."}, {"k1": "FIRST", "k2": "SECOND"}, {"t:k1": "TAIL WRONG", "t:k2": "FINE"}
)


def test_generate_sees_the_first_and_the_best_kernel_with_their_outcomes():
    text = NARRATOR.record("generate", ROLLOUT)
    assert all(word in text for word in ("class Model", "FIRST", "TAIL WRONG", "SECOND", "FINE"))


def test_refine_sees_what_each_step_did_to_the_score():
    text = NARRATOR.record("refine", ROLLOUT)
    assert "score 0.100 → 0.600" in text
    assert "FIRST" not in text


def test_the_query_sees_queries_and_what_came_of_them():
    text = NARRATOR.record("retrieval_query", ROLLOUT)
    assert "`softmax tail` → PASSED" in text
    assert "SECOND" not in text
