"""The JSON is strict, stable, and every field of it is documented."""

import dataclasses
import json
import math
import re
from pathlib import Path

import pytest
import sample_run as sample

from kernelopt.evaluation import Check, Status
from kernelopt.report.fold import view
from kernelopt.report.json import detail_json, evaluation_json, finite, report_json, summary_json
from kernelopt.store.run import open_run

DOCS = Path(__file__).parents[2] / "docs/runs.md"
PROSE = re.sub(r"```.*?```", "", DOCS.read_text(), flags=re.DOTALL)
DOCUMENTED = set(re.findall(r"[\w.]+", " ".join(re.findall(r"`([^`]+)`", PROSE))))
BY_NAME = {
    "frontier",
    "parts",
    "scores",
    "environment",
    "missing_baselines",
    "mismatch",
    "machine",
    "models",
    "limits",
    "suite",
}
"""Fields that hold a mapping whose keys are data."""


@pytest.fixture
def found(tmp_path):
    with open_run(sample.make(tmp_path)) as run:
        yield view(run)


def field_names(value, parent=""):
    """Every key of the structure that is a field, not data."""
    if isinstance(value, dict):
        for key, part in value.items():
            if parent not in BY_NAME or key in ("best", "seed"):
                yield key
            yield from field_names(part, key)
    if isinstance(value, list):
        for part in value:
            yield from field_names(part, parent)


def strict(data):
    return json.loads(json.dumps(data, allow_nan=False))


def test_an_evaluation_has_exactly_the_documented_fields():
    assert strict(evaluation_json(sample.FAST, "Use more threads.")) == {
        "status": "PASSED",
        "stage": "done",
        "task": "1/1",
        "suite": "kernelbench-core",
        "language": "cpp",
        "device": "cpu",
        "isolation": "process",
        "correct": True,
        "reason": "",
        "checks": [
            {
                "workload_id": "given/1",
                "status": "PASSED",
                "max_abs_error": 1e-6,
                "max_rel_error": 1e-5,
                "reference_abs_error": 2e-7,
                "atol": 1e-5,
                "rtol": 1e-4,
                "detail": "",
                "mismatch": {},
            }
        ],
        "build": {"seconds": 0.4, "cached": False, "log": ""},
        "diagnostics": [],
        "profiles": [],
        "speedup": {"median": 2.5, "ci95_low": 2.3, "ci95_high": 2.7},
        "candidate_ms": 1.6,
        "reference_ms": 4.0,
        "baseline": "eager",
        "baselines": [],
        "missing_baselines": {},
        "estimate": None,
        "seconds": 1.5,
        "asi": "Use more threads.",
        "environment": {"torch": "2.13.0"},
    }


def test_a_failure_has_the_same_fields_and_no_figures():
    data = strict(evaluation_json(sample.NO_BUILD, None))
    assert list(data) == list(evaluation_json(sample.FAST, ""))
    assert (data["status"], data["stage"], data["correct"]) == ("BUILD_FAILED", "build", False)
    assert [data[name] for name in ("speedup", "candidate_ms", "reference_ms", "asi")] == [None] * 4


def test_a_suspect_kernel_shows_no_speedup_even_if_it_was_timed():
    suspect = dataclasses.replace(sample.FAST, status=Status.SUSPECT)
    data = evaluation_json(suspect, "")
    assert data["speedup"] is data["candidate_ms"] is data["reference_ms"] is None


def test_further_baselines_stand_beside_the_denominator():
    other = dataclasses.replace(sample.FAST.timing, baseline="compile", reference_ms=2.0)
    compared = dataclasses.replace(sample.FAST, baselines=(other,), missing_baselines={"x": "it failed"})
    data = strict(evaluation_json(compared, ""))
    assert data["baseline"] == "eager" and data["missing_baselines"] == {"x": "it failed"}
    assert data["baselines"] == [
        {"baseline": "compile", "speedup": data["speedup"], "candidate_ms": 1.6, "reference_ms": 2.0}
    ]
    suspect = dataclasses.replace(compared, status=Status.SUSPECT)
    assert evaluation_json(suspect, "")["baselines"] == []


def test_a_kernel_that_was_never_built_has_no_build():
    assert evaluation_json(dataclasses.replace(sample.NO_BUILD, build=None), "")["build"] is None


def test_figures_that_json_cannot_hold_become_null():
    check = Check("given/1", Status.WRONG_VALUE, math.nan, math.inf, mismatch={"worst": (-math.inf, 1.0)})
    data = strict(evaluation_json(dataclasses.replace(sample.WRONG, checks=(check,)), ""))
    assert data["checks"][0]["max_abs_error"] is None
    assert data["checks"][0]["mismatch"] == {"worst": [None, 1.0]}
    assert finite({1: (math.nan, "nan")}) == {"1": [None, "nan"]}


def test_a_report_tells_what_the_tables_tell(found):
    data = strict(report_json(found))
    assert data["provenance"] == "kernelbench-core (bundled, 5 tasks; not the official set)"
    assert data["state"] == "finished"
    best, seed = data["scores"]["all"]["best"], data["scores"]["all"]["seed"]
    assert (best["n"], best["skipped"], best["fast_1"]) == (4, 1, {"strict": 0.25, "point": 0.5})
    assert seed["fast_1"] == {"strict": 0.0, "point": 0.0}
    assert data["frontier"] == {"1-1": [1], "1-2": [2], "1-3": [1, 2]}
    assert data["proposals"] == {"accepted": 1, "rejected": 1}
    assert data["budget"]["cost_usd"] == 0.75
    softmax = data["tasks"][0]
    assert softmax["speedup"]["median"] == 2.2 and softmax["searched_speedup"]["median"] == 2.5
    assert softmax["remeasured"] and softmax["winner"] == 1
    assert Path(softmax["kernel_file"]).read_text() == sample.SOURCE
    assert data["tasks"][3]["skipped"] == {
        "reason": "its inputs would not fit into memory",
        "bytes": 17_200_000_000,
    }


def test_a_task_comes_with_every_attempt(found):
    data = strict(detail_json(found, found.tasks[0], sample.SOURCE))
    assert [a["status"] for a in data["attempts"]] == ["NO_KERNEL", "PASSED", "PASSED", "PASSED"]
    assert data["evaluation"]["speedup"]["median"] == 2.2
    assert data["source"] == sample.SOURCE


def test_a_task_without_results_is_plain_too(found):
    data = strict(detail_json(found, found.tasks[4], None))
    assert data["evaluation"] is data["source"] is None and data["attempts"] == []


def test_every_field_is_documented(found):
    whole = [
        report_json(found),
        summary_json(found),
        detail_json(found, found.tasks[0], ""),
        evaluation_json(sample.FAST, ""),
    ]
    fields = {name for data in whole for name in field_names(strict(data))} - {"all"}
    assert len(fields) > 60
    assert fields <= DOCUMENTED


def test_where_nothing_is_run_no_figure_can_be_taken_for_a_measured_one(tmp_path):
    conditions = {"timed": False, "runs": False, "note": sample.COMPILE_ONLY}
    kernel = sample.compiled("1/1", "k1", 0, 1.0)
    with open_run(sample.small(tmp_path, [kernel], "compiler", conditions)) as run:
        data = strict(report_json(view(run)))
    assert data["conditions"] == conditions and data["device"] == "compiler"
    best = data["scores"]["all"]["best"]
    assert (best["correct"], best["compiled"], best["untimed"]) == (None, 1, sample.COMPILE_ONLY)
    assert best["fast_0"] is None and best["fast_1"] is None and best["geometric_mean"] is None
    one = strict(evaluation_json(kernel, None))
    assert (one["status"], one["correct"], one["speedup"]) == ("COMPILED", None, None)
    assert [profile["tool"] for profile in one["profiles"]] == ["ptxas", "static"]


def test_where_nothing_is_timed_fast_p_is_null_and_not_zero(tmp_path):
    with open_run(sample.small(tmp_path, [sample.untimed("1/1", "k1")], "interpreter")) as run:
        best = strict(report_json(view(run)))["scores"]["all"]["best"]
    assert (best["correct"], best["fast_0"], best["compiled"]) == (1, None, None)
    assert "not timed" in best["untimed"]
