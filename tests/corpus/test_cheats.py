"""No cheat is PASSED with a speedup, by the real judge in real processes; honest kernels are PASSED."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from catalog import HERE, entries, load_task

from kernelopt.evaluation import Status
from kernelopt.evaluator.judge import Judge
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.evaluator.workers.tools import readable
from kernelopt.executors._heap import keep_freed_memory
from kernelopt.kernel import Kernel
from kernelopt.registry import get

QUICK = Settings(looks=(Look(2, 3, 0.004),), batch_ms=3.0, run_timeout_s=20.0)
"""One look at an interval that misses once in 250 times: that many evaluations are made here, and a cheat
that gains nothing must not fail a run by chance. What gains less than 1.7x is not seen here."""
LEFTOVERS = ((tempfile.gettempdir(), "ko-cheat-*"), ("/dev/shm", "ko-cheat-*"))

CHEATS, HONEST = (entries(HERE / kind) for kind in ("cheats", "honest"))
UNDER_THE_JUDGE = [entry for entry in CHEATS if not entry.caught]

pytestmark = pytest.mark.xdist_group("timing")  # one after the other: they would disturb each other's times


MINUTES = {
    "call_wrapper",
    "class_in_constructor",
    "extension_accessor",
    "extension_dispatch",
    "extension_openmp",
    "extension_own_bindings",
    "extension_two_functions",
    "extension_vector_type",
    "registered_operator",
    "tensor_iterator",
}
"""Honest kernels that the full headers of torch are compiled for; others like them are always judged."""


def honest(entry):
    marks = [pytest.mark.exhaustive] if entry.path.stem in MINUTES else []
    return pytest.param(entry, id=entry.path.stem, marks=marks)


def by_name(entry):
    return entry.path.stem


class Bench:
    """Judges by sandbox, and what they said of the corpus so far."""

    def __init__(self, cache):
        self.cache, self.judges = cache, {}

    def evaluate(self, entry, *, static):
        """The evaluation of an entry, in the sandbox that it needs, with or without the static look."""
        judge = self.judge(entry.needs or "process")
        with looking(judge, static):
            return judge.evaluate(Kernel.from_source(entry.source, "cpp"), load_task(entry))

    def judge(self, name):
        if name not in self.judges:
            sandbox = get("sandboxes", name)(readable(self.cache))
            if reason := sandbox.missing():
                sandbox.close()
                pytest.skip(reason)
            oracle, languages = get("sandboxes", "process")(), lambda name: get("languages", name)()
            self.judges[name] = Judge(sandbox, oracle, languages, self.cache, QUICK)
        return self.judges[name]

    def close(self):
        for judge in self.judges.values():
            judge.close()


@contextmanager
def looking(judge, static):
    """The static look, or none."""
    original = judge._inspect
    if not static:
        judge._inspect = lambda *_: None
    try:
        yield
    finally:
        judge._inspect = original


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    keep_freed_memory()  # as where a search judges
    made = Bench(tmp_path_factory.mktemp("cache"))
    yield made
    made.close()
    for folder, pattern in LEFTOVERS:
        for path in Path(folder).glob(pattern):
            if path.is_file() and path.stat().st_uid == os.getuid():
                path.unlink()


def findings(entry):
    """What the static look holds against an entry."""
    language = get("languages", "cpp")()
    return [
        f"{f.rule}: {f.message}"
        for f in language.inspect(Kernel.from_source(entry.source, "cpp"))
        if f.suspect
    ]


def gains(found):
    """Whether a kernel is called right, and faster for certain."""
    return found.status is Status.PASSED and found.speedup.ci95_low > 1.0


def story(found):
    """The verdict in one line, for when a test fails."""
    return f"{found.status} at {found.stage}: {found.speedup or found.reason}"


@pytest.mark.parametrize("entry", UNDER_THE_JUDGE, ids=by_name)
def test_the_judge_is_not_fooled_even_without_the_static_look(bench, entry):
    found = bench.evaluate(entry, static=False)
    assert not gains(found), story(found)


@pytest.mark.parametrize("entry", [e for e in CHEATS if e.caught], ids=by_name)
def test_what_is_right_and_fast_but_no_kernel_is_seen_by_the_static_look(bench, entry):
    found = bench.evaluate(entry, static=True)
    assert found.status is Status.SUSPECT, story(found)


@pytest.mark.parametrize("entry", [honest(kind) for kind in HONEST])
def test_an_honest_kernel_passes(bench, entry):
    assert not findings(entry)
    found = bench.evaluate(entry, static=True)
    assert found.status is Status.PASSED, story(found)
