"""Less than all can be told, for ablations: each level holds all before it."""

import pytest

from kernelopt.evaluation import Build, Evaluation, Profile, Speedup, Stage, Status, Timing
from kernelopt.feedback.explain import LEVELS, explain
from kernelopt.retrieval import Excerpt

HEAD = ("1/1", "core", "ab", "cpp", "cpu", "process")
FAILED = Evaluation(
    *(*HEAD, Status.BUILD_FAILED, Stage.BUILD),
    reason="it does not compile",
    build=Build("g++", "kernel.cpp:3:5: error: 'y' was not declared in this scope\n", 0.1, False),
)
SLOW = Evaluation(
    *(*HEAD, Status.PASSED, Stage.DONE),
    timing=Timing("timed", 2.0, 1.0, Speedup(0.5, 0.4, 0.6)),
    profiles=(Profile("source", {}, "the loop runs on one thread only"),),
)
NOTE = Excerpt("Parallel loops", "Use `#pragma omp parallel for`.", "OpenMP 5.2", "cpu/openmp")


def told(evaluation, level):
    return explain(evaluation, score="0.250", excerpts=[NOTE], level=level)


@pytest.mark.parametrize("evaluation", [FAILED, SLOW])
def test_at_the_first_level_nothing_but_the_score_is_told(evaluation):
    assert told(evaluation, "score") == "Score: 0.250.\n"


def test_errors_are_told_from_their_level_on():
    assert all("was not declared" in told(FAILED, level) for level in LEVELS[1:])


def test_why_it_is_slow_is_told_from_its_level_on():
    assert ["one thread" in told(SLOW, level) for level in LEVELS] == [False, False, True, True]


def test_manuals_are_told_last():
    assert ["Parallel loops" in told(SLOW, level) for level in LEVELS] == [False, False, False, True]
