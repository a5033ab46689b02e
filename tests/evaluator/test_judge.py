"""The straight line, on real kernels in real worker processes."""

import pytest
from honest_kernel import TASK
from judging import task

from kernelopt.errors import TaskError
from kernelopt.evaluation import Speedup, Stage, Status, Timing, from_json, to_json
from kernelopt.evaluator.timing.pace import Pace
from kernelopt.evaluator.timing.timer import Candidate
from kernelopt.task import Task, Tolerance

FORWARD = "        lib.scale(x, self.bias, y, x.shape[0], x.shape[1], self.factor)\n        return y"


def test_an_honest_kernel_passes_with_all_that_was_measured(evaluate):
    found = evaluate()
    assert (found.status, found.stage) == (Status.PASSED, Stage.DONE), found.reason
    assert {check.status for check in found.checks} == {Status.PASSED}
    tried = {check.workload_id.split("/")[0] for check in found.checks}
    assert tried == {"given", "mixed", "outlier", "patchy", "steep", "constant", "small"}
    assert found.build and found.build.seconds >= 0
    timing = found.timing
    assert timing.rounds == len(timing.candidate_samples_ms) >= 5  # less than in peace: there is a time cap
    assert timing.calls > 0 and timing.baseline == "eager"
    assert found.speedup.ci95_low <= found.speedup.median <= found.speedup.ci95_high
    assert found.isolation == "process"


def test_an_evaluation_survives_json(evaluate):
    found = evaluate()
    assert from_json(to_json(found)) == found


def test_the_second_build_of_the_same_source_is_cached(evaluate):
    evaluate()
    again = evaluate()
    assert again.build.cached


@pytest.fixture
def tasks():
    """Tasks whose references hold some megabytes each."""
    return [task(f"torch.relu(x + {number})", "[torch.rand(64, 2048)]") for number in range(3)]


def test_where_memory_is_short_old_references_keep_their_figures(judge, tasks, monkeypatch):
    monkeypatch.setattr(judge, "_references", {})
    monkeypatch.setattr(judge, "_room", 1 << 40)
    first, second = (judge.reference(one) for one in tasks[:2])
    one = [len(list(known.samples)) and known.memory() for known in (first, second)]
    assert min(one) > 4 << 20
    monkeypatch.setattr(judge, "_room", max(one))
    judge.reference(tasks[2])
    assert (first.memory(), second.memory()) == (0, one[1])
    assert judge.reference(tasks[0]) is first


def test_references_that_are_large_even_so_are_given_up(judge, tasks, monkeypatch):
    monkeypatch.setattr(judge, "_references", {})
    monkeypatch.setattr(judge, "_room", -1)
    first = judge.reference(tasks[0])
    last = judge.reference(tasks[1])
    assert list(judge._references.values()) == [last]
    assert judge.reference(tasks[0]) is not first


@pytest.mark.parametrize(
    ("change", "status", "stage"),
    [
        ({"float v = x": "floot v = x"}, Status.BUILD_FAILED, Stage.BUILD),
        ({"v > 0 ? v : 0": "v"}, Status.WRONG_VALUE, Stage.CHECK),
        ({"+ b[c]": ""}, Status.WRONG_VALUE, Stage.CHECK),
        ({"c < cols": "c < cols / 8 * 8"}, Status.WRONG_VALUE, Stage.CHECK),
        ({"torch.empty_like(x)": "torch.empty(500, 38)"}, Status.WRONG_SHAPE, Stage.CHECK),
        ({"        return y": "        return y.double()"}, Status.WRONG_DTYPE, Stage.CHECK),
        ({"        return y": "        return [y, y]"}, Status.WRONG_SHAPE, Stage.CHECK),
        ({"        return y": "        return x.nope"}, Status.CRASHED, Stage.RUN),
        (
            {"class ModelNew(nn.Module):": "raise OSError('no')\nclass ModelNew(nn.Module):"},
            Status.CRASHED,
            Stage.LOAD,
        ),
        ({"y[r * cols + c] = v": "((float*)8)[0] = v"}, Status.CRASHED, Stage.RUN),
    ],
)
def test_each_failure_has_its_status_and_stage(evaluate, change, status, stage):
    found = evaluate(replace=change)
    assert (found.status, found.stage) == (status, stage), found.reason
    assert found.reason
    assert found.timing is None


def test_a_kernel_that_reduces_precision_is_wrong(evaluate):
    half = {"float v = x[r * cols + c] * k + b[c];": "float v = (_Float16)(x[r * cols + c] * k + b[c]);"}
    assert evaluate(replace=half).status is Status.WRONG_VALUE


def test_a_hanging_kernel_is_stopped(evaluate):
    hang = {FORWARD: "        while True:\n            pass"}
    found = evaluate(replace=hang, static=False, run_timeout_s=1.0)
    assert (found.status, found.stage) == (Status.TIMED_OUT, Stage.RUN)


def test_a_kernel_that_asks_for_too_much_memory_is_told_so(evaluate):
    found = evaluate(replace={"torch.empty_like(x)": "torch.empty(1 << 45)"})
    assert found.status is Status.OUT_OF_MEMORY


def test_a_kernel_must_not_write_to_its_inputs(evaluate):
    writes = {
        "const float* x, const": "float* x, const",
        "y[r * cols + c] = v > 0 ? v : 0;": "y[r * cols + c] = v > 0 ? v : 0; x[0] += 1;",
    }
    found = evaluate(replace=writes)
    assert found.status is Status.WRONG_VALUE
    assert "inputs" in found.reason


def test_the_framework_s_operators_are_no_kernel(evaluate):
    found = evaluate(replace={FORWARD: "        return torch.relu(x * self.factor + self.bias)"})
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.STATIC)
    assert "fallback" in found.reason


def test_an_answer_that_remembers_its_last_output_is_found_out_while_timed(evaluate):
    """Right for each fresh input when checked, but in a batch it returns the batch's first output."""
    cached = """
import torch
from torch import nn
state = {"calls": 0}
class ModelNew(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.randn(37))
    def forward(self, x):
        state["calls"] += 1
        if state["calls"] > 12 and "out" in state:
            return state["out"]
        state["out"] = torch.relu(x * self.factor + self.bias)
        return state["out"]
"""
    found = evaluate(cached, static=False)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME)


def test_weights_are_those_of_the_reference_even_if_made_in_another_order(evaluate):
    found = evaluate(
        replace={"self.bias = nn.Parameter(torch.randn(37))": "self.bias = nn.Parameter(torch.zeros(37))"}
    )
    assert found.status is Status.PASSED, found.reason


def test_after_every_kind_of_failure_the_next_evaluation_works(evaluate):
    evaluate(replace={"y[r * cols + c] = v": "((float*)8)[0] = v"})
    assert evaluate().status is Status.PASSED


def test_a_broken_reference_is_the_task_s_fault_in_one_line(evaluate):
    broken = Task(id="b", name="b", suite="file", source=TASK.source.replace("torch.relu", "torch.reluu"))
    with pytest.raises(TaskError, match=r"task b: .*forward\(\) failed at line \d+: AttributeError"):
        evaluate(task=broken)


def test_the_task_s_own_tolerance_is_used(evaluate):
    strict = Task(id="s", name="s", suite="file", source=TASK.source, tolerance=Tolerance(0.0, 0.0))
    sloppy = evaluate(replace={"* k + b[c]": "* k + b[c] + 1e-6f"}, task=strict)
    assert sloppy.status is Status.WRONG_VALUE


def test_a_reference_process_that_dies_is_replaced_and_blamed_on_no_one(evaluate, judge, monkeypatch):
    import os

    load, killed = judge._timer._load, []

    def load_and_kill(*arguments):
        worker = load(*arguments)
        if not killed:
            killed.append(worker)
            os.kill(worker._job.pid, 9)
        return worker

    monkeypatch.setattr(judge._timer, "_load", load_and_kill)
    judge._timer.close()  # one that is loaded already may be left of the kernel before
    assert evaluate().status is Status.PASSED
    assert killed


def test_a_reference_that_was_loaded_ahead_serves_its_own_weights_only(evaluate, judge, monkeypatch):
    known = judge.reference(TASK)
    judge._timer.expect(known, judge.settings)
    monkeypatch.setattr(known, "seed", known.seed + 1)  # as of one that was given up and is loaded anew
    taken, take = [], judge._timer._ahead.take
    monkeypatch.setattr(judge._timer._ahead, "take", lambda key: taken.append(take(key)) or taken[-1])
    worker = judge._timer._reference(known, judge.settings)
    worker.close()
    judge._timer.close()
    assert taken == [None]


@pytest.mark.parametrize(("paces_ms", "low"), [([3.0], 2.0), ([60.0, 3.1], 2.0), ([60.0, 30.0], 0.2)])
def test_a_kernel_faster_than_a_reference_that_was_kept_waiting_is_timed_again(
    judge, monkeypatch, paces_ms, low
):
    timer = judge._timer
    monkeypatch.setattr(timer, "_pace", Pace())
    timer._pace.slowed((TASK.hash, True), Timing("timed", 1.0, 3.0, Speedup(3.0, 2.0, 4.0)))
    timings = [Timing("timed", 1.0, pace, Speedup(3.0, 2.0, 4.0)) for pace in paces_ms]
    monkeypatch.setattr(timer, "_surely", lambda *_: timings.pop(0))
    found = timer.time(Candidate(None, True, []), judge.reference(TASK), judge.settings)
    assert not timings
    assert found.speedup.ci95_low == pytest.approx(low)
