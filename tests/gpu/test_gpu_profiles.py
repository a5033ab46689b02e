"""What was compiled survives the form that an evaluation keeps of it, and its flaws are told."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluation import Build, Evaluation, Profile, Stage, Status, from_json, to_json
from kernelopt.gpu import CompiledKernel, Diagnostic, Mix, Occupancy
from kernelopt.gpu.profiles import (
    FLAWS,
    MOST_DIAGNOSTICS,
    flaws,
    to_data,
    to_diagnostics,
    to_kernels,
    to_profiles,
)

counts = st.integers(0, 1 << 20)
mixes = st.builds(Mix, **{field.name: counts for field in dataclasses.fields(Mix)})
rooms = st.builds(
    Occupancy,
    st.integers(1, 1024),
    st.integers(0, 32),
    st.floats(0, 1),
    st.sampled_from(["registers", "shared memory", "nothing"]),
)
names = st.text(max_size=20) | st.just("f: limited by g")
kernels = st.lists(
    st.builds(CompiledKernel, names, *[counts] * 7, st.none() | mixes, st.none() | rooms), max_size=4
)

GOOD = CompiledKernel("good", 32, mix=Mix(100, global_load=4, global_load_128=4))


@given(kernels)
def test_kernels_survive_the_journal(found):
    profiles = to_profiles(found)
    evaluation = Evaluation(
        "t", "s", "k", "cuda", "compiler", "bwrap", Status.COMPILED, Stage.BUILD, profiles=profiles
    )
    read = from_json(json.loads(json.dumps(to_json(evaluation))))
    assert to_kernels(read.profiles) == tuple(found)


def test_profiles_of_other_tools_are_passed_over():
    assert to_kernels([Profile("roofline", {}, "x"), *to_profiles([GOOD])]) == (GOOD,)
    assert to_profiles([]) == ()


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"spill_store_bytes": 8}, "spills"),
        ({"stack_bytes": 400}, "local memory"),
        ({"mix": Mix(9, local=2)}, "local memory"),
        ({"mix": Mix(9, fp64=1)}, "double precision"),
        ({"mix": Mix(9, global_load=3)}, "narrow loads"),
        ({"occupancy": Occupancy(64, 8, 0.25, "registers")}, "low occupancy"),
    ],
)
def test_each_flaw_is_seen_and_no_other(change, flaw):
    assert flaws([dataclasses.replace(GOOD, **change)]) == (flaw,)


def test_what_is_no_flaw():
    assert flaws([GOOD]) == ()
    assert flaws([GOOD, GOOD]) == ()  # two configurations of one kernel
    assert flaws([GOOD, dataclasses.replace(GOOD, name="other")]) == ("several kernels",)
    assert flaws([dataclasses.replace(GOOD, mix=Mix(9, fp64=1))], double=True) == ()
    busy = Occupancy(128, 2, 0.2, "shared memory")
    assert flaws([dataclasses.replace(GOOD, mix=Mix(9, tensor=8), occupancy=busy)]) == ()


@given(kernels.filter(bool))
def test_the_summary_counts_the_flaws(found):
    static = to_profiles(found)[-1]
    assert static.tool == "static" and static.metrics["kernels"] == len(found)
    assert static.metrics["clean"] == 1 - len(flaws(found)) / len(FLAWS)
    assert bool(static.metrics["spilled"]) == ("spills" in static.text)


def test_errors_are_kept_before_warnings():
    said = [Diagnostic("nvrtc", "warning", f"w{i}") for i in range(30)] + [Diagnostic("nvrtc", "error", "e")]
    kept = to_diagnostics(to_data(said))
    assert len(kept) == MOST_DIAGNOSTICS and kept[-1] == said[-1] and kept[0] == said[0]


def test_diagnostics_survive_the_journal():
    said = (Diagnostic("ptxas", "error", "too much", "k.cu", 3, 1, "#20", "f", "  x\n  ^"),)
    build = Build("nvrtc 13 for sm_90", "log", 0.1, False, to_data(said))
    evaluation = Evaluation(
        "t", "s", "k", "cuda", "compiler", "bwrap", Status.BUILD_FAILED, Stage.BUILD, build=build
    )
    read = from_json(json.loads(json.dumps(to_json(evaluation))))
    assert read == evaluation
    assert to_diagnostics(read.build.diagnostics) == said
