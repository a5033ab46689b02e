"""The ASI: what an evaluation teaches, most useful first, within its budget and its section."""

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.evaluation import (
    Build,
    Check,
    Evaluation,
    Profile,
    Speedup,
    Stage,
    Status,
    Timing,
    from_json,
    to_json,
)
from kernelopt.feedback import words
from kernelopt.feedback.explain import explain
from kernelopt.feedback.text import tokens
from kernelopt.kernel import Kernel
from kernelopt.prompting.render import Section, join, parse_sections
from kernelopt.retrieval import Excerpt

LOG = """k.cpp: In function 'void f(float*)':
k.cpp:2:10: error: 'expff' was not declared in this scope; did you mean 'expf'?
    2 |   y[0] = expff(1);
      |          ^~~~~
      |          expf
"""
TRACEBACK = '  File "kernel.py", line 2, in forward\n    return f(x)\nRuntimeError: bad shape\n'


def evaluation(status, stage, **more):
    return Evaluation(
        task_id="1/1",
        suite="kernelbench-core",
        kernel_hash=more.pop("kernel_hash", "new"),
        language="cpp",
        device="cpu",
        isolation="process",
        status=status,
        stage=stage,
        **more,
    )


def passed(median, low, high, **more):
    timing = Timing("timed", 10 / median, 10.0, Speedup(median, low, high))
    more = {"timing": timing, "checks": (Check("normal/0", Status.PASSED),), **more}
    return evaluation(Status.PASSED, Stage.DONE, **more)


def failed_build(**more):
    return evaluation(
        Status.BUILD_FAILED,
        Stage.BUILD,
        reason="1 error",
        build=Build("g++ k.cpp", LOG, 0.3, cached=False),
        log="BuildError: building k failed",
        **more,
    )


def first_lines(text, count=15):
    return "\n".join(text.splitlines()[:count])


def test_the_first_line_says_where_it_stopped_and_what_it_scored():
    head = explain(failed_build(), score="0.05 for an attempt").splitlines()[0]
    assert head == "Stopped at build: BUILD_FAILED. Score: 0.05 for an attempt."
    head = explain(passed(1.5, 1.4, 1.6), score="0.66").splitlines()[0]
    assert head == "PASSED: correct on 1 input set, 1.5x the speed of the reference. Score: 0.66."


def test_a_failed_build_shows_the_error_with_source_caret_and_suggestion():
    top = first_lines(explain(failed_build()))
    assert "`k.cpp:2:10` error: 'expff' was not declared" in top
    assert "y[0] = expff(1);" in top
    assert "^~~~~" in top
    assert "did you mean 'expf'" in top


def test_a_build_that_the_kernel_ran_itself_is_read_from_its_log():
    own = evaluation(Status.CRASHED, Stage.LOAD, reason="RuntimeError: Error building extension", log=LOG)
    assert "`k.cpp:2:10` error" in first_lines(explain(own))


def test_a_build_log_of_unknown_form_is_quoted():
    build = Build("g++", "# strange\n```\nwords", 0.1, cached=False)
    text = explain(evaluation(Status.BUILD_FAILED, Stage.BUILD, build=build))
    assert "strange" in text
    assert "strange" not in parse_sections(text)


def test_an_exception_shows_the_line_of_the_kernel():
    crashed = evaluation(Status.CRASHED, Stage.RUN, reason="RuntimeError: bad shape", log=TRACEBACK)
    kernel = Kernel.from_source("import torch\n", "cpp")
    assert "kernel.py:2 in forward: return f(x)" in first_lines(explain(crashed, kernel=kernel))


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("the process ended (signal 11) while it ran", "out of bounds"),
        ("the process ended (signal 8) while it ran", "division by zero"),
        ("the process ended (signal 4) while it ran", "instruction that this machine does not have"),
    ],
)
def test_a_signal_is_explained_and_what_was_printed_is_shown(reason, cause):
    text = explain(evaluation(Status.CRASHED, Stage.RUN, reason=reason, log="row 7 of 8\n"))
    assert cause in text.splitlines()[1]
    assert "row 7 of 8" in text


def test_a_fallback_is_named_as_such():
    reason = "fallback: line 9 calls torch.softmax"
    text = explain(evaluation(Status.SUSPECT, Stage.STATIC, reason=reason))
    assert words.FALLBACK in first_lines(text, 2)
    assert "line 9 calls torch.softmax" in first_lines(text, 1)


def test_a_reply_that_was_cut_off_is_named_as_such():
    reason = "the reply was cut off before a module that defines ModelNew was complete"
    assert words.CUT_OFF in explain(evaluation(Status.NO_KERNEL, Stage.EXTRACT, reason=reason))


@pytest.mark.parametrize("status", [Status.TIMED_OUT, Status.OUT_OF_MEMORY, Status.WRONG_DTYPE])
def test_other_ends_come_with_their_usual_cause(status):
    assert "Usual cause: " in explain(evaluation(status, Stage.RUN, reason="it ended")).splitlines()[1]


def test_a_mismatch_names_the_failed_set_and_those_that_were_right():
    facts = {
        **{"shape": [4], "dtype": "float32", "total": 4, "wrong": 1, "fraction": 0.25},
        **{"max_abs_error": 1.0, "max_rel_error": "inf", "nan": 0, "inf": 0, "ranges": [[3, 3]]},
        "first": [{"index": [3], "actual": 0.0, "expected": 1.0}],
        "patterns": [{"kind": "end", "start": 3, "length": 1}],
    }
    checks = (
        Check("normal/0", Status.PASSED),
        Check("large/0", Status.WRONG_VALUE, 1.0, None, 1e-7, 1e-4, 1e-4, "1 of 4 wrong", facts),
    )
    text = explain(evaluation(Status.WRONG_VALUE, Stage.CHECK, checks=checks, reason="large/0: wrong"))
    assert words.LAST_BLOCK_WRONG in first_lines(text, 5)
    assert "on input set `large/0`" in text
    assert "right on input sets `normal/0`" in text


# Performance ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [((0.8, 0.7, 0.9), words.SLOWER), ((1.0, 0.9, 1.1), words.NO_DIFFERENCE), ((2.0, 1.9, 2.1), None)],
)
def test_a_speedup_is_judged_by_its_interval(interval, verdict):
    text = explain(passed(*interval))
    told = [phrase for phrase in (words.SLOWER, words.NO_DIFFERENCE) if phrase in text]
    assert told == ([verdict] if verdict else [])
    assert f"95 % interval {interval[1]:.3g} to {interval[2]:.3g}" in text


def roof(fraction, bound=words.BANDWIDTH_BOUND):
    return Profile("roofline", {"fraction": fraction, "roof_ms": 2.0}, f"{bound}: 1 MB.")


@pytest.mark.parametrize(
    ("profile", "advice"),
    [
        (roof(0.3), "read and write each element once"),
        (roof(0.3, words.COMPUTE_BOUND), "FMA"),
        (roof(0.9), "near the roof"),
        (roof(1.4), "fits in the caches"),
    ],
)
def test_the_roof_comes_with_advice(profile, advice):
    assert advice in explain(passed(1.0, 0.9, 1.1, profiles=(profile,)))


def test_notes_of_the_source_come_before_those_of_the_compiler_and_of_unknown_tools():
    profiles = (
        Profile("gcc-vectorizer", {}, f"k.cpp:3: {words.NOT_VECTORIZED}: a call"),
        Profile("ncu", {}, "# 40 % stalls"),
        Profile("source", {}, f"It {words.ONE_THREAD}."),
    )
    text = explain(passed(1.0, 0.9, 1.1, profiles=profiles))
    assert text.index(words.ONE_THREAD) < text.index(words.NOT_VECTORIZED) < text.index("40 % stalls")


# What changed --------------------------------------------------------------------------------------

OLD = {"kernel_hash": "old"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (passed(1.0, 0.9, 1.1, **OLD), passed(1.5, 1.4, 1.6), "1x became 1.5x: faster"),
        (passed(1.5, 1.4, 1.6, **OLD), passed(1.0, 0.9, 1.1), "1.5x became 1x: slower"),
        (passed(1.0, 0.9, 1.1, **OLD), passed(1.05, 0.95, 1.2), "within the noise"),
        (passed(1.0, 0.9, 1.1, **OLD), failed_build(), "the last change broke it"),
        (failed_build(**OLD), failed_build(), "the same failure as before"),
        (failed_build(**OLD), passed(1.0, 0.9, 1.1), "BUILD_FAILED at build became PASSED"),
    ],
)
def test_what_the_last_change_did_is_told(before, after, told):
    assert told in explain(after, parent=before)


def test_nothing_changed_when_the_kernel_is_the_same():
    same = passed(1.0, 0.9, 1.1)
    assert explain(same, parent=same) == explain(same)


# Form ----------------------------------------------------------------------------------------------


def test_excerpts_carry_their_source():
    excerpt = Excerpt("Remainder loops", "Handle what is left.\n# Not a heading", "CPU notes, section 2")
    text = explain(failed_build(), excerpts=[excerpt])
    assert "- Remainder loops (CPU notes, section 2)\n> Handle what is left.\n> # Not a heading" in text


def test_excerpts_are_cut_at_sentence_ends():
    excerpt = Excerpt("T", "One sentence of words. Another one, for 3.5 ms. " * 100, "doc")
    text = explain(failed_build(), excerpts=[excerpt], token_budget=300)
    last = text.splitlines()[-2]
    assert last in ("> One sentence of words.", "> Another one, for 3.5 ms.")


def test_the_text_is_the_same_after_a_trip_through_json():
    story = passed(1.0, 0.9, 1.1, profiles=(roof(0.4),))
    assert explain(from_json(to_json(story))) == explain(story)


NASTY = st.text(alphabet=st.sampled_from("ab#`\n :|^E\u2028"), max_size=80)
STORIES = st.builds(
    lambda status, stage, reason, log, build_log, detail: evaluation(
        status,
        stage,
        reason=reason,
        log=log,
        build=Build("g++", build_log, 0.1, cached=False),
        checks=(Check("a\n# b", Status.WRONG_VALUE, detail=detail),),
        profiles=(Profile("source", {}, detail), Profile("roofline", {}, reason)),
    ),
    st.sampled_from(Status),
    st.sampled_from(Stage),
    *[NASTY | NASTY.map(lambda t: LOG + t) | NASTY.map(lambda t: TRACEBACK + t)] * 4,
)


@settings(max_examples=200, deadline=None)
@given(STORIES, NASTY, st.integers(20, 400))
def test_whatever_a_candidate_prints_the_text_keeps_its_budget_and_its_section(story, score, budget):
    excerpts = [Excerpt(score, story.reason, story.log)]
    text = explain(story, score=score, excerpts=excerpts, token_budget=budget)
    assert tokens(text) <= budget
    assert parse_sections(join([Section("A", text), Section("B", "end")])).keys() <= {"A", "B"}
    assert parse_sections(join([Section("A", text), Section("B", "end")]))["B"] == "end"


def test_long_logs_and_many_notes_fit_the_default_budget_quickly():
    story = dataclasses.replace(
        failed_build(),
        build=Build("g++", LOG * 2000, 1.0, cached=False),
        profiles=(Profile("gcc-vectorizer", {}, f"{words.NOT_VECTORIZED} here\n" * 2000),),
    )
    excerpts = [Excerpt("A title", "A sentence of the manual. " * 500, "doc")]
    start = time.thread_time()
    text = explain(story, excerpts=excerpts)
    assert time.thread_time() - start < 5
    assert 1000 < tokens(text) <= 1500
    assert "### Manual excerpts" in text
