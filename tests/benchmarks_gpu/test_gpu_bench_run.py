"""The runner of our GPU kernels: its arithmetic, its verdicts, and what it survives. No GPU is used."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import gpu_bench_answers as answers
import pytest
import torch

from benchmarks.gpu import roofs, run
from benchmarks.gpu.catalogue import BY_NAME, ENTRIES
from benchmarks.gpu.correct import check
from benchmarks.gpu.timing import bootstrap, compare
from benchmarks.gpu.workers import rows
from kernelopt.suites._load import load, make_model

ROOT = Path(__file__).parents[2]
LANGUAGES = ("triton", "cuda", "cupy")


# --- Tasks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_size_of_a_task_can_be_made(entry):
    bytes_at = {
        size: roofs.facts(entry.task(size)).bytes_moved for size in ("small", "cpu", "gpu", "aligned")
    }
    assert bytes_at["small"] < 4e5
    assert bytes_at["cpu"] < 8e7
    assert min(bytes_at["gpu"], bytes_at["aligned"]) > 1e8 or entry.product


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_aligned_size_of_a_float32_task_has_rows_of_whole_vectors(entry):
    found = roofs.facts(entry.task("aligned"))
    tensors = [one for one in (*found.inputs, *(found.outputs or ())) if one.dtype == "float32"]
    assert [str(one) for one in tensors if len(one.shape) > 1 and one.shape[-1] % 4] == []


def test_what_fusing_promises_is_counted_in_bytes():
    entry = BY_NAME["bias_gelu_residual"]
    found = roofs.roof(entry, entry.task("aligned"), 4e12, {"bfloat16": 8e14})
    assert found.bound == "memory"
    assert found.seconds == pytest.approx(3 * 65536 * 2048 * 4 / 4e12, rel=1e-3)
    assert found.predicted == pytest.approx(
        7 / 3, rel=1e-3
    )  # x + bias, gelu, + residual: 2 + 2 + 3 against 3


def test_a_product_is_held_to_the_rate_of_tensor_cores():
    entry = BY_NAME["linear_gelu"]
    found = roofs.roof(entry, entry.task("gpu"), 4e12, {"bfloat16": 8e14})
    assert found.bound == "bfloat16"
    assert found.seconds == pytest.approx(2 * 8192 * 4096 * 4096 / 8e14, rel=0.01)
    assert found.predicted is None


# --- Verdicts ------------------------------------------------------------------------------------------


def verdict(answer):
    module = load(BY_NAME["rmsnorm"].task("small"))
    model = make_model(module, seed=1)
    return check(module, model, lambda x: answer(model, x), (1, 2), "cpu")


def unwritten(model, x):
    out = torch.empty_like(x)
    out[:-1] = model(x)[:-1]
    out[-1].fill_(float("nan"))
    return out


def overwriting(model, x):
    out = model(x)
    x[0, 0] += 1
    return out


def test_the_reference_itself_passes():
    assert verdict(lambda model, x: model(x)).ok


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda model, x: model(x) * 1.001, "times what is allowed"),
        (lambda model, x: model(x.bfloat16()).float(), "times what is allowed"),
        (unwritten, "nan times"),
        (lambda model, x: model(x).double(), "float64"),
        (lambda model, x: model(x)[:-1], "wanted"),
        (lambda model, x: [model(x)], "a list"),
        (overwriting, "inputs were changed"),
    ],
)
def test_wrong_answers_do_not_pass(answer, reason):
    found = verdict(answer)
    assert not found.ok
    assert reason in found.reason


# --- Times ---------------------------------------------------------------------------------------------


class Machine:
    """A clock whose pace drifts; calls say what they cost."""

    def __init__(self, drift: float = 0.0, noise: float = 0.0) -> None:
        self.now, self.drift, self.noise = 0.0, drift, noise
        self.random = random.Random(3)
        self.seen: list[tuple[str, int]] = []

    def call(self, name: str, cost_ms: float):
        def work(number: int) -> None:
            self.seen.append((name, number))
            self.now += cost_ms * (1 + self.drift * self.now) * (1 + self.noise * self.random.random())

        return work

    def time(self, work) -> tuple[float, float]:
        before = self.now
        work()
        return self.now - before, self.now - before


def test_a_speedup_comes_out_with_an_interval_around_it():
    machine = Machine(noise=0.2)
    found = compare(machine.call("kernel", 1.0), machine.call("eager", 3.0), 2, machine, 0.0)
    assert found.low <= found.speedup <= found.high
    assert found.speedup == pytest.approx(3.0, rel=0.05)
    assert found.kernel_ms == pytest.approx(1.1, rel=0.05)


def test_a_steady_drift_favours_nobody():
    machine = Machine(drift=1e-3)
    found = compare(machine.call("kernel", 1.0), machine.call("eager", 1.0), 2, machine, 0.0)
    assert found.speedup == pytest.approx(1.0, abs=5e-3)


def test_inputs_change_from_call_to_call():
    machine = Machine()
    compare(machine.call("kernel", 1.0), machine.call("eager", 1.0), 3, machine, 0.0)
    numbers = [number for name, number in machine.seen if name == "kernel"]
    assert all(after == (before + 1) % 3 for before, after in pairwise(numbers))


def test_batches_are_long_enough_for_quick_kernels():
    machine = Machine()
    found = compare(machine.call("kernel", 0.01), machine.call("eager", 0.02), 2, machine, 0.0)
    assert len(machine.seen) > 1000
    assert found.speedup == pytest.approx(2.0, rel=0.01)


def test_the_interval_narrows_as_rounds_agree():
    wide, narrow = bootstrap([1.0, 2.0, 3.0, 4.0] * 4), bootstrap([2.4, 2.5, 2.5, 2.6] * 4)
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])


# --- Processes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evaluate", "status", "reason"),
    [
        (answers.dying, "CRASHED", "ended with code 7"),
        (answers.raising, "CRASHED", "an illegal memory access"),
        (answers.hanging, "TIMED_OUT", "no result within 5 s"),
    ],
)
def test_one_bad_kernel_costs_no_other(evaluate, status, reason):
    found = list(rows(evaluate, "softmax", LANGUAGES, None, 5.0))
    assert [row["language"] for row in found] == list(LANGUAGES)
    assert [row["status"] for row in found] == ["PASSED", status, "PASSED"]
    assert reason in found[1]["reason"]


# --- A whole evaluation, on the CPU ---------------------------------------------------------------------


def evaluated(monkeypatch, forward) -> list[dict]:
    """Rows of an evaluation whose kernels are the reference, altered by `forward`."""
    from benchmarks.gpu import evaluate

    task = BY_NAME["rmsnorm"].task("small")
    module = load(task)

    class ModelNew(module.Model):
        def forward(self, x):
            return forward(super().forward(x))

    monkeypatch.setattr(evaluate, "kernel_module", lambda *_: SimpleNamespace(ModelNew=ModelNew))
    monkeypatch.setattr(evaluate.Bench, "_compiled", lambda self: 1 / 0)
    settings = evaluate.Settings("small", 1e10, {"bfloat16": 1e12}, 0.0, device="cpu")
    return list(evaluate.evaluate("rmsnorm", ["triton", "cuda"], settings))


def test_an_evaluation_tells_all_that_the_table_shows(monkeypatch):
    found = evaluated(monkeypatch, lambda y: y)
    assert [row["language"] for row in found] == ["triton", "cuda"]
    for row in found:
        assert row["status"] == "PASSED", row["reason"]
        assert 0 < row["eager"]["ci95"][0] <= row["eager"]["speedup"] <= row["eager"]["ci95"][1]
        assert row["sol_fraction"] > 0
        assert row["input_sets"] > 1
        assert any(remark.startswith("torch.compile: ZeroDivisionError") for remark in row["remarks"])
        assert "[" in run.line(row)
        json.dumps(row)


def test_a_wrong_kernel_is_not_timed(monkeypatch):
    found = evaluated(monkeypatch, lambda y: y + 1)
    assert [row["status"] for row in found] == ["WRONG", "WRONG"]
    assert "eager" not in found[0]


# --- The command ---------------------------------------------------------------------------------------

ROW = {
    "task": "softmax",
    "language": "cuda",
    "status": "PASSED",
    "kernel_ms": 0.5,
    "sol_fraction": 0.91,
    "bound": "memory",
    "predicted": None,
    "registers": 39,
    "seconds": 12.0,
    "remarks": [],
    "eager": {"speedup": 1.25, "ci95": [1.2, 1.3], "by_events": 1.25},
}


def test_a_row_shows_speedups_with_intervals_and_what_is_missing():
    line = run.line(ROW)
    assert "1.25 [1.20, 1.30]" in line
    assert line.count(" - ") == 2  # neither torch.compile nor CUDA graphs
    assert "0.91" in line


def test_a_failure_shows_its_reason():
    failed = {"task": "softmax", "language": "cuda", "status": "WRONG", "reason": "seed 101: the error"}
    assert "seed 101: the error" in run.line(failed)


def test_kernels_that_miss_what_the_bytes_promise_say_so():
    from benchmarks.gpu.evaluate import remarks

    assert remarks(ROW) == []
    slow = {**ROW, "sol_fraction": 0.5, "predicted": 2.33}
    assert remarks(slow) == ["below 85% of copy bandwidth", "bytes promise 2.33 times eager"]
    odd = {**ROW, "eager": {**ROW["eager"], "by_events": 1.5}}
    assert remarks(odd) == ["the clocks disagree about eager: 1.50 by events"]


ALONE = """
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import benchmarks.gpu.evaluate
import kernelopt.devices._cuda_ceilings
from benchmarks.gpu import run
sys.exit(run.main({arguments!r}))
"""
ABSENT = {"litellm", "gepa", "click", "rich", "psutil", "yaml", "docker", "bm25s", "ninja"}


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command where kernelopt's dependencies are not installed."""
    code = ALONE.format(absent=ABSENT, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_command_compiles_with_few_packages_and_writes_json(tmp_path):
    from kernelopt.gpu.toolkit import nvrtc_version

    if not nvrtc_version():
        pytest.skip("NVRTC is not installed")
    file = tmp_path / "out.json"
    done = alone("--compile-only", "--tasks", "swiglu", "--languages", "cuda", "--json", str(file))
    assert done.returncode == 0, done.stderr[-3000:]
    assert "swiglu" in done.stdout
    result = json.loads(file.read_text())
    assert result["compiled"][0]["kernels"][0]["registers"] > 0
    assert {"date", "versions"} <= result.keys()
    assert str(ROOT) not in file.read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_the_command_says_what_to_do():
    done = alone("--tasks", "swiglu")
    assert done.returncode == 1
    assert "--compile-only needs none" in done.stderr
    assert "Traceback" not in done.stderr
