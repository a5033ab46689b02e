"""Likely causes that only the source shows, told where the outcome fits and nowhere else."""

import time

import pytest
from test_explain import evaluation, passed

from kernelopt.evaluation import Profile, Stage, Status
from kernelopt.feedback import words
from kernelopt.feedback.explain import explain
from kernelopt.feedback.source_hints import crash_hint, slowness_hints
from kernelopt.kernel import Kernel

CRASH = evaluation(Status.CRASHED, Stage.RUN, reason="the process ended (signal 11) while it ran")
MISSED = Profile("gcc-vectorizer", {}, f"k.cpp:3: {words.NOT_VECTORIZED}: a store")
SLOW, FAST = passed(0.5, 0.4, 0.6, profiles=(MISSED,)), passed(4.0, 3.9, 4.1, profiles=(MISSED,))
LOOP = "#pragma omp parallel for\nfor (int64_t r = 0; r < n; ++r)"


def kernel(text):
    return Kernel.from_source(text, "cpp")


def test_aligned_loads_are_named_behind_a_crash():
    told = explain(CRASH, kernel=kernel("_mm256_store_ps(y + c, _mm256_loadu_ps(x));"))
    assert "`_mm256_store_ps`, which crashes on an address that is not aligned" in told.splitlines()[2]
    assert crash_hint(CRASH, kernel("_mm256_storeu_ps(y, v);")) == ""
    assert crash_hint(SLOW, kernel("_mm256_store_ps(y, v);")) == ""


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (LOOP + " {\n  #pragma omp critical\n  s += x[r];\n}", "threads take turns"),
        (LOOP + "\n    part[omp_get_thread_num()] += x[r];", "False sharing: neighbouring threads write"),
        ("int t = omp_get_thread_num();\nfor (;;) part[t] += x[r];", "elements of `part`"),
        ("for (int i = 0; i < n; ++i) {\n  #pragma omp parallel for\n  for (;;) f();", "begins anew"),
        ("#pragma omp parallel for schedule(dynamic)\nfor (;;);", "hands out single iterations"),
        ("for (int64_t c = 0; c < n; ++c) y[r] += x[r * n + c];", "may alias the inputs"),
    ],
)
def test_a_cause_of_a_disappointing_speed(source, told):
    assert told in " ".join(slowness_hints(SLOW, kernel(source)))
    assert slowness_hints(FAST, kernel(source)) == []
    assert slowness_hints(CRASH, kernel(source)) == []


@pytest.mark.parametrize(
    "source",
    [
        LOOP + " {\n  float s = 0;\n  for (;;) s += x[c];\n  y[r] = s;\n}\n",
        "#pragma omp parallel\n{\n  part[16 * omp_get_thread_num()] += s;\n}",
        "#pragma omp parallel for schedule(dynamic, 16)\nfor (;;);",
        "void f(float* __restrict__ y) { for (int c = 0; c < n; ++c) y[r] += x[c]; }",
    ],
)
def test_nothing_is_told_of_a_source_that_does_none_of_it(source):
    assert slowness_hints(SLOW, kernel(source)) == []


@pytest.mark.parametrize(
    "text",
    ["for " * 50_000, "for (x) {\n" * 20_000, "for\n" + " \n" * 50_000, "t=omp_get_thread_num(" * 5000],
)
def test_a_source_made_to_slow_this_down_does_not(text):
    started = time.thread_time()
    slowness_hints(SLOW, kernel(text))
    assert time.thread_time() - started < 10
