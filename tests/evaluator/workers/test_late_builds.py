"""Kernels may compile in their first call. Builds are limited in number and time, and none is timed."""

import time
from contextlib import closing

import pytest
from honest_kernel import HONEST

from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator.timing.clock import Stopwatch
from kernelopt.evaluator.workers.line import MOST_BUILDS
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.worker import BUILD_WHEN_TIMED, Setup, Worker
from kernelopt.languages import Finding

LIBRARY = "lib = cpp("
MAKE = "import functools\n@functools.lru_cache\ndef make():\n    return cpp("
CALL = "        lib.scale("
COUNTED = """
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 12:
            cpp('extern "C" void other(int64_t n) {}')
"""


def lazy(first="\n"):
    """The honest kernel, which compiles in its first call; it does `first` before."""
    assert HONEST.count(LIBRARY) == HONEST.count(CALL) == 1
    source = HONEST.replace(LIBRARY, MAKE)
    return source.replace(CALL, f"{first[1:]}        make().scale(")


def test_a_kernel_that_compiles_in_its_first_call_is_timed_like_any_other(evaluate):
    found = evaluate(lazy())
    assert found.status is Status.PASSED, found.reason
    assert found.build is not None and found.build.command


def test_both_sides_are_called_once_before_the_clock_only_where_that_is_needed(evaluate, monkeypatch):
    warmed = []
    call_once = Stopwatch._call_once
    monkeypatch.setattr(
        Stopwatch, "_call_once", lambda self, pair: (warmed.append(pair), call_once(self, pair))
    )
    assert evaluate(HONEST).status is Status.PASSED
    assert not warmed
    assert evaluate(lazy()).status is Status.PASSED
    assert warmed


def test_a_first_call_that_does_not_compile_is_a_failed_build(evaluate):
    found = evaluate(lazy().replace("float v =", "float v = oops +"))
    assert found.status is Status.BUILD_FAILED
    assert "oops" in found.reason


def test_a_library_from_the_first_call_is_looked_at_like_any_other(evaluate, judge, monkeypatch):
    monkeypatch.setattr(judge, "_look_at", lambda path, language: [Finding("binary", "it calls fork")])
    found = evaluate(lazy())
    assert (found.status, found.reason) == (Status.SUSPECT, "binary: it calls fork")


def test_a_build_while_it_is_timed_is_refused_with_a_reason(evaluate):
    found = evaluate(lazy(COUNTED), static=False)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME)
    assert found.reason == BUILD_WHEN_TIMED


def test_a_malformed_request_ends_the_load(evaluate):
    request = f"from kernelopt import inline\ninline._builder(5)\n{LIBRARY}"
    found = evaluate(HONEST.replace(LIBRARY, request), static=False)
    assert found.status is Status.BUILD_FAILED, found.reason
    assert "malformed" in found.reason


class Insatiable:
    """Stands in for a sandbox and a job that asks for build after build, each after `takes_s`."""

    paused_at_ns = resumed_at_ns = 0

    def __init__(self, room, takes_s):
        self.room, self.takes_s, self.asked = room, takes_s, 0

    def start(self, folder, limits):
        return self

    def send(self, message, fds=()):
        pass

    def receive(self, timeout_s):
        self.asked += 1
        assert self.asked < 200, "it is served for ever"
        time.sleep(self.takes_s)
        return {"build": {}}

    def pause(self, *, answered=False):
        return 0

    def resume(self, *, sample=0, within_ms=0.0):
        return 0

    def close(self):
        return "killed"


@pytest.fixture
def loaded(tmp_path):
    def load(takes_s, timeout_s):
        job = Insatiable(tmp_path, takes_s)
        with closing(Worker(job, None)) as worker, pytest.raises(Stopped) as stopped:
            build = lambda _: {"ok": False}  # noqa: E731
            worker.load({}, "k.py", Setup("ModelNew", (), {}, 0, 1), build, timeout_s=timeout_s)
        return stopped.value, job.asked

    return load


def test_so_many_builds_are_made_and_no_more(loaded):
    stopped, asked = loaded(0.0, 60.0)
    assert (stopped.status, asked) == (Status.BUILD_FAILED, MOST_BUILDS + 1)
    assert f"more than {MOST_BUILDS} builds" in stopped.reason


def test_requests_that_lie_ready_are_not_served_past_the_deadline(loaded):
    stopped, asked = loaded(0.02, 0.1)
    assert stopped.status is Status.TIMED_OUT
    assert asked <= 6
