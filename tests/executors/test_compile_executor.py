"""Kernels that are compiled and looked at: a verdict that nobody can take for a measured one."""

import pytest

from kernelopt.errors import TaskError, UsageError
from kernelopt.evaluation import Stage, Status
from kernelopt.executors import Rules
from kernelopt.executors._open import executor_device, open_executor
from kernelopt.feedback.explain import explain
from kernelopt.gpu import toolkit
from kernelopt.gpu.profiles import to_kernels
from kernelopt.kernel import Kernel
from kernelopt.languages._cuda_guide import CUDA_EXAMPLE
from kernelopt.search.score import score
from kernelopt.task import Task

pytestmark = pytest.mark.skipif(not toolkit.nvrtc_version(), reason="NVRTC is not installed")

SOURCE = """
import torch
import torch.nn as nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.gain * (x.amax(-1) - x.amin(-1))

def get_inputs():
    return [torch.randn(8, 64)]

def get_init_inputs():
    return []
"""
TASK = Task(id="own/1", name="range", source=SOURCE, suite="own")


@pytest.fixture(scope="module")
def executor():
    made = open_executor("compile:sm_80", "process", Rules())
    yield made
    made.close()


def evaluated(executor, text, task=TASK):
    kernel = Kernel.from_source(text, "cuda")
    return kernel, executor.evaluate(kernel, task)


def test_what_compiles_is_compiled_and_nothing_else(executor):
    kernel, found = evaluated(executor, CUDA_EXAMPLE)
    assert (found.status, found.stage, found.device) == (Status.COMPILED, Stage.BUILD, "compiler")
    assert not found.correct and found.speedup is None and found.timing is None and found.checks == ()
    assert found.reason == "compile only: not run, not checked, not timed"
    assert found.environment["target"] == "sm_80"
    (one,) = to_kernels(found.profiles)
    assert one.name == "row_range" and one.registers > 0 and one.occupancy.block_threads == 256
    assert one.mix is None or one.mix.global_load > 0
    text = explain(found, kernel=kernel, task=TASK)
    assert text.startswith("COMPILED (compile only: not run, not checked, not timed).")
    assert "`row_range`" in text and "registers a thread" in text


def test_what_does_not_compile_is_told_with_its_mend(executor):
    kernel, found = evaluated(executor, CUDA_EXAMPLE.replace("low = row[0]", "low = INFINITY"))
    assert (found.status, found.stage) == (Status.BUILD_FAILED, Stage.BUILD)
    assert score(found) == 0.0
    said = [each["message"] for each in found.build.diagnostics if each["severity"] == "error"]
    assert said == ['identifier "INFINITY" is undefined']
    text = explain(found, kernel=kernel)
    assert "low = INFINITY" in text and "Usual mend: no header defines this constant" in text


def test_an_answer_that_fails_before_its_launch_is_told(executor):
    _, found = evaluated(executor, CUDA_EXAMPLE.replace("x = x.contiguous()", "x = x.flatten_it()"))
    assert (found.status, score(found)) == (Status.CRASHED, 0.0)
    assert "(forward)" in found.reason and "flatten_it" in found.reason


def test_the_frameworks_own_operators_are_seen_without_compiling(executor):
    _, found = evaluated(
        executor, CUDA_EXAMPLE.replace("return y", "return y + torch.softmax(x, -1).sum(-1)")
    )
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.STATIC)


def test_a_broken_task_is_not_the_kernels_fault(executor):
    broken = Task(id="own/2", name="b", source=SOURCE.replace("torch.randn(8, 64)", "nobody"), suite="own")
    with pytest.raises(TaskError, match="own/2"):
        evaluated(executor, CUDA_EXAMPLE, broken)


def test_the_device_is_the_compiler_whatever_the_language(executor):
    device = executor_device(executor, "triton")
    assert device.name == "compiler" and not device.conditions.timed and not device.conditions.runs
    assert "sm_80" in device.machine_text() and "not run" in device.machine_text()
    assert "sm_80" in executor.describe()["model"]


def test_an_unknown_architecture_is_refused():
    with pytest.raises(UsageError, match="no architecture 'sm_1'"):
        open_executor("compile:sm_1", "process")
