"""Every check of one kernel, in a real worker process. Kernels are torch code: checks are what matters."""

import os
import random

import pytest
from judging import task

from kernelopt.evaluation import Status
from kernelopt.evaluator import trial
from kernelopt.evaluator.expected.reference import SEED, Reference
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.worker import Setup, Worker
from kernelopt.sandboxes.process import ProcessSandbox

SCALE = task(
    "torch.relu(x * 3.0 + self.bias)",
    "[torch.rand(batch_size, 37)]",
    head="batch_size = 500",
    init="self.bias = nn.Parameter(torch.randn(37))",
)
WRITES = task("x.mul_(3.0) + 1", "[torch.rand(50, 37)]")
ANSWER = """
import torch
from torch import nn
class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.randn(37))
        self.calls = 0
    def forward(self, x):
        {}
"""
HONEST = "return torch.relu(x * 3.0 + self.bias)"
AUTOGRAD = """
import torch
from torch import nn
class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, bias):
        y = torch.relu(x * 3.0 + bias)
        ctx.save_for_backward(y)
        return y
    @staticmethod
    def backward(ctx, g):
        g = g * (ctx.saved_tensors[0] > 0)
        return g * 3.0, g.sum(0)
class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.randn(37))
    def forward(self, x):
        return Scale.apply(x, self.bias)
"""


@pytest.fixture(scope="module")
def sandbox():
    made = ProcessSandbox()
    yield made
    made.close()


@pytest.fixture
def checks(sandbox):
    """All checks of a module text."""

    def run(source, of=SCALE, **settings):
        known = Reference(of, Settings(threads=1, run_timeout_s=20.0, **settings), random.Random(4))
        worker = Worker(sandbox, known.settings.limits)
        try:
            setup = Setup("ModelNew", known.init, known.state, SEED, 1)
            worker.load({"k.py": source}, "k.py", setup, lambda _: {"ok": False}, timeout_s=30)
            return list(trial.checks(worker, known, known.settings))
        finally:
            worker.close()

    return run


def test_an_honest_kernel_passes_every_distribution(checks):
    found = checks(ANSWER.format(HONEST))
    assert {check.status for check in found} == {Status.PASSED}
    ids = [check.workload_id for check in found]
    assert ids == [
        *("given/1", "given/2", "mixed/1", "outlier/1", "outlier/2", "patchy/1"),
        *("steep/1", "constant/1", "small/1"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (HONEST + " * 1.01", Status.WRONG_VALUE, "18"),
        (HONEST + ".t().contiguous()", Status.WRONG_SHAPE, "shape"),
        ("return torch.relu(x.half() * 3.0 + self.bias).float()", Status.WRONG_VALUE, "looks like fp16"),
        ("return torch.relu(x.mul_(3.0) + self.bias)", Status.WRONG_VALUE, "writes to its inputs"),
        ("self.bias + 0; x.copy_(torch.relu(x * 3.0 + self.bias)); return x", Status.WRONG_VALUE, "input"),
        ("return torch.zeros(1).expand(500, 37)", Status.WRONG_SHAPE, "share memory"),
        ("return torch.relu(x * 3.0 + self.bias) + torch.rand(())", Status.WRONG_VALUE, "not repeatable"),
        (
            "self.calls += 1; return torch.relu(x * 3.0 + self.bias) + (self.calls == 2)",
            Status.WRONG_VALUE,
            "not repeatable",
        ),
    ],
)
def test_the_first_check_that_fails_is_the_last(checks, body, status, said):
    found = checks(ANSWER.format(body))
    assert [check.status for check in found[:-1]] == [Status.PASSED] * (len(found) - 1)
    assert found[-1].status is status
    assert said in found[-1].detail


def test_what_is_right_at_one_address_alone_is_wrong(checks):
    """Timed inputs lie elsewhere than the first one of the checks."""
    at_home = """self.home = getattr(self, "home", x.data_ptr())
        return torch.relu(x * 3.0 + self.bias) * (1.0 + 1e-3 * (x.data_ptr() != self.home))"""
    assert checks(ANSWER.format(at_home))[-1].status is Status.WRONG_VALUE


def test_runs_that_differ_by_rounding_alone_are_repeatable(checks):
    """As where threads add in any order."""
    noise = "return torch.relu(x * 3.0 + self.bias) * (1 + 1e-7 * torch.rand(()))"
    assert checks(ANSWER.format(noise))[-1].status is Status.PASSED


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="threads can take turns on one core only here")
def test_what_is_right_only_while_threads_have_a_core_each_is_a_race(checks):
    """As where a barrier is missing: which thread comes too early is the scheduler's choice."""
    racing = """threads = [int(name) for name in os.listdir("/proc/self/task")]
        cores = set().union(*map(os.sched_getaffinity, threads))
        return torch.relu(x * 3.0 + self.bias) + (len(cores) == 1)
import os, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
for name in os.listdir("/proc/self/task"):
    os.sched_setaffinity(int(name), range(os.cpu_count()))"""
    found = checks(ANSWER.format(racing))[-1]
    assert (found.workload_id, found.status) == ("given/2", Status.WRONG_VALUE)
    assert "a barrier is missing" in found.detail and "18500 of 18500 elements" in found.detail


def test_a_kernel_writes_where_the_reference_writes(checks):
    assert checks(ANSWER.format("return x.mul_(3.0) + 1"), WRITES)[-1].status is Status.PASSED
    kept = checks(ANSWER.format("return x * 3.0 + 1"), WRITES)[-1]
    assert kept.status is Status.WRONG_VALUE and "inputs after the call" in kept.detail


def test_what_no_input_can_tell_is_said_once_all_were_tried():
    void = Reference(task("x * 0", "[torch.rand(50, 37)]"), Settings(threads=1), random.Random(4))
    assert trial.doubt(void) == ""
    for sample in void.samples:
        assert not sample.outputs[0].value.any()
    assert "cannot tell a kernel from zeros" in trial.doubt(void)


# Another shape -----------------------------------------------------------------------------------


def test_another_shape_is_tried_when_asked_for(checks):
    found = checks(ANSWER.format(HONEST), strict_shapes=True)
    assert found[-1].workload_id.startswith("shape batch_size=")
    assert found[-1].status is Status.PASSED


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (
            "y = torch.relu(x * 3.0 + self.bias); y[250:] *= len(x) == 500; return y",
            Status.WRONG_VALUE,
        ),
        ("y = torch.relu(x * 3.0 + self.bias); return torch.cat([y, y])[:500]", Status.WRONG_SHAPE),
    ],
)
def test_a_kernel_that_knows_one_size_fails_on_the_other_and_is_told_which(checks, body, status):
    assert checks(ANSWER.format(body))[-1].status is Status.PASSED
    found = checks(ANSWER.format(body), strict_shapes=True)[-1]
    assert found.status is status
    assert "with batch_size=" in found.detail


def test_a_crash_on_the_other_size_is_told_too(checks):
    body = "return torch.relu(x.view(500, 37) * 3.0 + self.bias)"
    with pytest.raises(Stopped, match=r"with batch_size=\d+: RuntimeError") as stopped:
        checks(ANSWER.format(body), strict_shapes=True)
    assert stopped.value.status is Status.CRASHED


# Gradients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [ANSWER.format(HONEST), AUTOGRAD])
def test_a_differentiable_kernel_passes(checks, source):
    found = checks(source, check_backward=True)[-1]
    assert (found.workload_id, found.status) == ("backward/1", Status.PASSED), found.detail


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return g * 3.0, g.sum(0)", "return g * 2.0, g.sum(0)", "gradient by input 0"),
        ("return g * 3.0, g.sum(0)", "return g * 3.0, None", "no gradient by parameter bias"),
        ("* (ctx.saved_tensors[0] > 0)", "", "gradient by input 0"),
    ],
)
def test_a_wrong_gradient_does_not(checks, old, new, said):
    assert old in AUTOGRAD
    found = checks(AUTOGRAD.replace(old, new), check_backward=True)[-1]
    assert found.status is Status.WRONG_VALUE
    assert said in found.detail


def test_a_kernel_without_gradient_is_told_what_to_do(checks):
    with pytest.raises(Stopped, match=r"not differentiable.*autograd\.Function") as stopped:
        checks(ANSWER.format("with torch.no_grad():\n            " + HONEST), check_backward=True)
    assert stopped.value.status is Status.WRONG_VALUE
