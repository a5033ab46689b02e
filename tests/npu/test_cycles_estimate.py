"""A kernel's cycles end to end: built with g++, run, built again with its counts, scheduled."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.npu import calibrate
from benchmarks.npu.rows import ROWS
from kernelopt.errors import UnknownName
from kernelopt.languages._tools import HostTools
from kernelopt.npu import LABEL, Buffer, Run, Spec, Vectors, harness
from kernelopt.npu.cycles import machine, profile
from kernelopt.npu.cycles.estimate import estimate

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")

ROOT = Path(__file__).parents[2]
SIZE = 1024
SPEC = Spec(
    "kernel",
    "",
    "void kernel(int8_t *in, int8_t *out)",
    (Buffer("in", "input", (SIZE,), "int8"), Buffer("out", "output", (SIZE,), "int8")),
)
CALL = Vectors("seed/0", {"in": np.arange(SIZE).astype(np.int8)}, {})


@cache
def run(body: str, signature: str = "int8_t *in, int8_t *out", on: str = "aie2", calls: int = 1) -> Run:
    """A kernel of that body."""
    source = f"#include <aie_api/aie.hpp>\nvoid kernel({signature}) {{\n{body}\n}}\n"
    return estimate(source, SPEC, [CALL] * calls, on, HostTools(), 60.0)


SCALAR = "for (int i = 0; i < 1024; i++) out[i] = in[i] < 0 ? -in[i] : in[i];"
VECTOR = "for (int i = 0; i < 1024; i += 32) aie::store_v(out + i, aie::abs(aie::load_v<32>(in + i)));"
HINTED = "AIE_LOOP_MIN_ITERATION_COUNT(32)\n" + VECTOR
RESTRICT = "int8_t *__restrict in, int8_t *__restrict out"


def test_a_scalar_loop_over_bytes_costs_what_was_published():
    """abs_int8, scalar: 9990 cycles, none of them vector cycles."""
    found = run(SCALAR, calls=2)
    assert (found.cycles.total, found.cycles.vector) == (9990, 0)
    assert [list(out["out"]) for out in found.outputs] == [list(np.abs(CALL.inputs["in"]))] * 2
    assert found.object.startswith(b"\x7fELF")


def test_stores_that_may_overlap_keep_a_loop_from_being_pipelined():
    found = run(HINTED).cycles
    assert "__restrict" in found.hot_loop
    assert found.blocks[0]["ii"] == 0
    assert found.total > 300


def test_restrict_and_a_number_of_iterations_let_it_be_pipelined():
    """One vector a cycle: a load, an absolute value and a store of 256 bits."""
    found = run(HINTED, RESTRICT).cycles
    assert found.blocks[0]["ii"] == 1
    assert found.total < 60
    assert found.vector == 32
    assert found.vector_score > 0.5


def test_a_local_restrict_pointer_is_one():
    body = "int8_t *__restrict x = in; int8_t *__restrict y = out;\n" + HINTED.replace("out", "y").replace(
        "(in ", "(x "
    )
    assert run(body).cycles.blocks[0]["ii"] == 1


def test_without_a_number_of_iterations_it_is_not_and_that_is_said():
    found = run(VECTOR.replace("1024", "(in[0] ? 1024 : 992)"), RESTRICT).cycles
    assert found.blocks[0]["ii"] == 0
    assert any("AIE_LOOP_MIN_ITERATION_COUNT" in note for note in found.notes)


def test_a_loop_behind_a_branch_keeps_its_number_of_iterations():
    body = """int8_t most = in[0];
    for (int i = 1; i < 64; i++) { if (in[i] > most) most = in[i]; }
    int rest = most > 100 ? 900 : 800;
    if (in[1] > 3) out[0] = 1;
    for (int i = 0; i < rest; i++) out[i] = in[i] + most;"""
    rows = run(body).cycles.blocks
    assert {row["iterations"] for row in rows if row["iterations"] > 1} == {63, 800}


def test_the_same_kernel_costs_the_same_again():
    assert run.__wrapped__(HINTED, RESTRICT).cycles == run(HINTED, RESTRICT).cycles


def test_software_float_is_named():
    found = run("for (int i = 0; i < 1024; i++) out[i] = (int8_t)((float)in[i] * 0.3f);").cycles
    assert found.total > 1024 * 100
    assert any("software" in note for note in found.notes)


def test_the_second_machine_has_wider_ports():
    wide = VECTOR.replace("32", "64")
    assert run(wide, RESTRICT, "aie2p").cycles.total < run(wide, RESTRICT).cycles.total


def test_a_kernel_that_does_not_compile_has_its_line():
    found = run("out[0] = nothing;")
    assert (found.failure.kind, found.failure.line) == ("build", 3)
    assert found.cycles is None


def test_a_kernel_that_leaves_its_buffer_has_no_cycles():
    found = run("for (int i = 0; i < 1040; i += 16) aie::store_v(out + i, aie::load_v<16>(in));")
    assert (found.failure.kind, found.cycles) == ("fault", None)


def test_a_kernel_that_does_away_with_its_counters_has_no_cycles():
    reset = 'extern "C" void __gcov_reset(void);'
    body = f"void kernel(int8_t *in, int8_t *out) {{ {SCALAR} __gcov_reset(); }}"
    found = estimate(
        f"#include <aie_api/aie.hpp>\n{reset}\n{body}\n", SPEC, [CALL], "aie2", HostTools(), 60.0
    )
    assert found.cycles is None
    assert found.failure.kind == "crash"


def test_the_wrapper_is_kept_apart_from_the_kernel():
    """Otherwise the compiler would put the kernel into it, and forget which pointers are restrict."""
    assert profile._WRAPPER in harness.unit("", SPEC)


def test_a_program_that_can_never_fit_is_a_failure(monkeypatch):
    monkeypatch.setattr(profile, "MOST_STATEMENTS", 5)
    found = run.__wrapped__(SCALAR)
    assert (found.failure.kind, found.cycles) == ("build", None)
    assert "16 KB" in found.failure.message


def test_an_unknown_machine_is_bad_input():
    with pytest.raises(UnknownName, match="aie2, aie2p"):
        estimate("", SPEC, [CALL], "aie9", HostTools(), 60.0)


def test_the_written_calibration_keeps_its_goal_and_its_label():
    found = json.loads((ROOT / "benchmarks" / "results" / "npu_calibration.json").read_text())
    assert found["label"] == LABEL
    assert found["median_error_percent"] <= found["goal"]["median"]
    assert max(found["worst_error_percent"], found["left_out_worst_error_percent"]) <= found["goal"]["worst"]
    assert all(LABEL in row for row in found["rows"])


@pytest.mark.parametrize("name", ["argmax_bfloat16/scalar", "abs_int8/16 lanes"])
def test_a_published_figure_that_nothing_was_fitted_on_is_met_within_a_tenth(name):
    row = next(row for row in ROWS if row.name == name)
    assert name not in {fitted for names in calibrate.FITTED.values() for fitted in names}
    error = calibrate.error(calibrate.count(row), machine.load("aie2"))
    assert abs(error) < 10


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_calibration_can_be_repeated():
    assert calibrate.main(["--no-write"]) == 0
