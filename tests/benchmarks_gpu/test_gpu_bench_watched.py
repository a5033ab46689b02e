"""What surrounds a measurement on a GPU: the state of the card, and Nsight Compute. No GPU is used."""

import stat

import pytest

from benchmarks.gpu import run
from benchmarks.gpu.once import profiled
from kernelopt.gpu.ncu import METRICS
from kernelopt.gpu.nvml import State

CALM, HOT = State(1980, 2619, 45, 210.0, 0), State(900, 2619, 95, 300.0, 0x40)


class Card:
    """Stands for NVML, which answers only where a driver is."""

    def __init__(self, *states):
        self.states = list(states)

    def read(self):
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


def test_rows_of_a_throttled_card_are_measured_again_and_say_so():
    made = iter(([{"task": "a", "ms": 9}], [{"task": "a", "ms": 5}]))
    (row,) = run.watched(Card(CALM, HOT, CALM, CALM), lambda: next(made))
    assert row["ms"] == 5 and row["card"]["redone"] == 1 and not row["throttled"]


def test_a_card_that_stays_throttled_is_marked():
    (row,) = run.watched(Card(HOT), lambda: [{"task": "a"}])
    assert row["throttled"] and row["card"]["after"]["reasons"] == ["thermal slowdown by the hardware"]


def test_without_nvml_rows_are_as_they_were():
    assert run.watched(None, lambda: [{"task": "a"}]) == [{"task": "a"}]


@pytest.fixture
def ncu(tmp_path):
    """A program in the place of ncu, which needs a driver."""

    def make(script):
        path = tmp_path / "ncu"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def test_counters_become_words(ncu):
    name = next(theirs for theirs, ours in METRICS.items() if ours == "memory_pct")
    rows = (
        '"ID","Kernel Name","Metric Name","Metric Unit","Metric Value"\n'
        + f'"0","softmax","{name}","%","91.0"'
    )
    assert profiled("softmax", "cuda", "gpu", ncu(f"cat <<'END'\n{rows}\nEND")).startswith(
        "softmax: bound by memory"
    )


def test_locked_counters_are_a_sentence_with_the_way_out(ncu):
    told = profiled("softmax", "cuda", "gpu", ncu("echo '==ERROR== ERR_NVGPUCTRPERM' >&2; exit 1"))
    assert "keeps its counters for administrators" in told and "docs/cuda.md" in told


def test_a_missing_ncu_is_a_sentence():
    assert "ncu is not installed" in profiled("softmax", "cuda", "gpu", "/nowhere/ncu")


def test_an_ncu_that_fails_is_a_sentence(ncu):
    assert "exit code 3" in profiled("softmax", "cuda", "gpu", ncu("exit 3"))
