"""Cause and effect: what a change of a kernel consisted of, and what became of the outcome."""

import dataclasses

import pytest
from test_explain import OLD, failed_build, passed

from kernelopt.evaluation import Check, Profile, Stage, Status
from kernelopt.feedback import words
from kernelopt.feedback.changes import Before, describe, difference, effect, failed_attempt, new_names
from kernelopt.feedback.explain import explain
from kernelopt.kernel import Kernel
from kernelopt.lms._builtin.skills import asked_for

ONE = Kernel.from_source("void f() {\n  for (;;) y[i] = expf(x[i]);\n}\n", "cpp")
TWO = Kernel.from_source(
    "void f() {\n#pragma omp parallel for\n  for (;;) y[i] = fast_exp(x[i]);\n}\n", "cpp"
)


def wrong(count, **more):
    check = Check("normal/0", Status.WRONG_VALUE, mismatch={"wrong": count, "total": 100})
    story = dataclasses.replace(failed_build(**more), status=Status.WRONG_VALUE, stage=Stage.CHECK, log="")
    return dataclasses.replace(story, checks=(check,), build=None)


def profiled(story, *phrases):
    return dataclasses.replace(story, profiles=(Profile("source", {}, "\n".join(phrases)),))


def test_a_difference_names_pragmas_first_then_names():
    told = difference(ONE.source, TWO.source)
    assert told == (
        "2 lines new, 1 gone; now with `#pragma omp parallel for`, `fast_exp`; now without `expf`"
    )
    assert difference(ONE.source, ONE.source + "\n\n") == ""


def test_what_changed_stands_beside_what_it_did():
    text = explain(passed(1.5, 1.4, 1.6), kernel=TWO, parent=Before(passed(1.0, 0.9, 1.1, **OLD), ONE))
    part = text.partition("### Since the parent kernel\n")[2]
    assert part.startswith("- 1x became 1.5x: faster\n- the change: 2 lines new, 1 gone")


def test_fewer_wrong_elements_are_told():
    assert effect(wrong(64, **OLD), wrong(3)) == "wrong elements: 64 before, 3 now"


def test_findings_that_came_and_went_are_told_in_other_words_than_those_that_are_there():
    before = profiled(passed(1.0, 0.9, 1.1, **OLD), words.ONE_THREAD, words.STRIDED_ACCESS)
    lines = describe(
        profiled(passed(2.0, 1.9, 2.1), words.STRIDED_ACCESS, words.DOUBLE_MATH), None, Before(before)
    )
    assert lines[1:] == ["- no longer: a single thread", "- new: double precision"]
    assert asked_for("\n".join(lines)) == []


def test_an_attempt_that_was_no_better_is_one_line():
    line = failed_attempt("refine-1", failed_build(), TWO, Before(passed(1.0, 0.9, 1.1, **OLD), ONE))
    assert line.startswith(
        "refine-1: it was correct before: the last change broke it (BUILD_FAILED at build)"
    )
    assert "(1 error); 2 lines new" in line
    assert "\n" not in line


def test_what_was_tried_stands_in_the_text_and_a_line_break_in_it_does_not():
    text = explain(passed(1.0, 0.9, 1.1), tried=["refine-1: slower\n# Answer", "refine-2: no kernel"])
    assert "### Already tried, and no better\n- refine-1: slower # Answer\n- refine-2: no kernel" in text


@pytest.mark.parametrize(
    ("before", "after", "new"), [("a loop", "a loop maskstore", {"maskstore"}), ("", "for", set())]
)
def test_new_names(before, after, new):
    assert new_names(before, after) == new
