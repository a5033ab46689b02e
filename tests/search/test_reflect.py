"""What a reflection may and may not do to a component."""

import pytest

from kernelopt.evaluation import Speedup, Stage, Status
from kernelopt.retrieval import Excerpt
from kernelopt.search.reflect import (
    LONGEST_QUERY,
    LONGEST_TEXT,
    Known,
    Narrator,
    choose_component,
    failures,
    new_text,
    proposal_key,
)
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
EXCERPT = Excerpt("Remainder loops", "Use `maskstore` for the rest.", "S")
NARRATOR = Narrator(
    Known(
        {"t": "class Model: ..."},
        {"k1": "FIRST loop", "k2": "SECOND loop maskstore"},
        {"t:k1": "TAIL WRONG", "t:k2": "FINE"},
        {"t:k1": "the tail is wrong"},
        lambda query: [EXCERPT] if "tail" in query else [],
        {"t": ["WRONG_VALUE at check: it used half (2 times)"]},
    )
)


def test_generate_sees_the_first_and_the_best_kernel_with_their_outcomes():
    text = NARRATOR.record("generate", ROLLOUT)
    assert all(word in text for word in ("class Model", "FIRST", "TAIL WRONG", "SECOND", "FINE"))


def test_generate_sees_what_was_tried_for_the_task_and_failed():
    text = NARRATOR.record("generate", ROLLOUT)
    assert "Already tried" in text
    assert "- WRONG_VALUE at check: it used half (2 times)" in text


def test_refine_sees_errors_with_the_fix_that_was_tried_and_whether_it_worked():
    text = NARRATOR.record("refine", ROLLOUT)
    assert "score 0.100 → 0.600, worked" in text
    assert "before: WRONG_VALUE, the tail is wrong" in text
    assert "change: 1 lines new, 1 gone; now with `SECOND`, `maskstore`; now without `FIRST`" in text
    assert "after: PASSED" in text
    assert "FIRST loop" not in text and "Already tried" not in text


def test_refine_sees_that_a_fix_did_not_work_and_that_the_next_began_before_it():
    worse = attempt("refine-1", "k2", Status.BUILD_FAILED, 0.0)
    last = attempt("refine-2", None, Status.NO_KERNEL, 0.0)
    text = NARRATOR.record("refine", Rollout("c", "t", (FAILED, worse, last)))
    assert "refine-1: score 0.100 → 0.000, did not work" in text
    assert "refine-2: score 0.100 → 0.000, did not work" in text
    assert "after: no kernel: because" in text


def test_refine_says_so_when_nothing_was_refined():
    assert "no refinement" in NARRATOR.record("refine", Rollout("c", "t", (FAILED,)))


def test_the_query_sees_queries_and_what_came_of_them():
    text = NARRATOR.record("retrieval_query", ROLLOUT)
    assert "`softmax tail` → PASSED" in text
    assert "generate: query `softmax` → WRONG_VALUE, score 0.100\n  - returned: nothing" in text
    assert (
        "returned: Remainder loops\n  - used in the kernel that followed: Remainder loops (maskstore)" in text
    )
    assert "SECOND" not in text


def test_failures_are_told_once_the_frequent_ones_first():
    other = Rollout("d", "t", (attempt("generate", "k9", Status.TIMED_OUT, 0.0), FAILED))
    lines = failures("t", [ROLLOUT, other, other], {"t:k1": "the tail is wrong"})
    assert lines == [
        "WRONG_VALUE at done: the tail is wrong (3 times)",
        "TIMED_OUT at done: because (2 times)",
    ]


def test_a_query_has_to_stay_short():
    assert new_text(f"```\n{'x ' * LONGEST_QUERY}\n```", "stop", "{error}", "retrieval_query") is None
    assert new_text(f"```\n{'x ' * LONGEST_QUERY}\n```", "stop", "current", "generate")


def test_proposals_that_differ_in_white_space_only_are_one():
    assert proposal_key({"a": "one  two\n"}) == proposal_key({"a": " one two"})
    assert proposal_key({"a": "one two"}) != proposal_key({"a": "one, two"})
    assert new_text("```\nthe  current\ntext\n```", "stop", "the current text") is None
