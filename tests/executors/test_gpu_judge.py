"""What stands around a judge on a GPU: the card's state, and profiles of what is worth a look."""

import dataclasses
import sys

import pytest

from kernelopt.errors import MissingTool
from kernelopt.evaluation import Evaluation, Profile, Speedup, Stage, Status, Timing
from kernelopt.executors import _gpu_judge, local
from kernelopt.executors._gpu_judge import GpuJudge, is_worth_a_look
from kernelopt.feedback.explain import explain
from kernelopt.gpu import profiling
from kernelopt.gpu.profiling import Looked
from kernelopt.kernel import Kernel
from kernelopt.task import Task

KERNEL = Kernel.from_source("class ModelNew: ...\n", "cuda")
TASK = Task(id="own/1", name="double", source="", suite="own")
PASSED = Evaluation(
    task_id="own/1",
    suite="own",
    kernel_hash=KERNEL.hash,
    language="cuda",
    device="cuda",
    isolation="none",
    status=Status.PASSED,
    stage=Stage.DONE,
    timing=Timing("timed", 1.0, 2.0, Speedup(2.0, 1.9, 2.1)),
)
COMPILED = (Profile("static"),)
LOOKED = Looked(Profile("ncu", {}, "bound by memory"), "ncu")


def at(fraction):
    return dataclasses.replace(PASSED, profiles=(Profile("roofline", {"fraction": fraction}),))


class Judge:
    def __init__(self, found):
        self.found = found

    def evaluate(self, kernel, task):
        return self.found


@pytest.fixture
def evaluated(monkeypatch):
    """The evaluation of a judge that finds this, where compilers and profilers say so."""
    monkeypatch.setitem(sys.modules, "pynvml", None)

    def make(found, compiled=COMPILED, looked=LOOKED):
        def acted(value):
            def do(*_):
                if isinstance(value, Exception):
                    raise value
                return value

            return do

        monkeypatch.setattr(_gpu_judge.GpuJudge, "_compiled", acted(compiled))
        monkeypatch.setattr(profiling, "look", acted(looked))
        return GpuJudge(Judge(found), None, {}, lambda: "sm_90").evaluate(KERNEL, TASK)

    return make


@pytest.mark.parametrize(
    ("found", "worth"),
    [
        (PASSED, True),
        (at(0.3), True),
        (at(0.95), False),
        (dataclasses.replace(PASSED, timing=None), False),
        (dataclasses.replace(PASSED, status=Status.WRONG_VALUE), False),
    ],
)
def test_kernels_near_the_roof_and_wrong_ones_are_not_profiled(found, worth):
    assert is_worth_a_look(found) is worth


def test_compilers_and_counters_come_behind_the_judges_own_profiles(evaluated):
    found = evaluated(at(0.5))
    assert [one.tool for one in found.profiles] == ["roofline", "static", "ncu"]
    assert found.environment["gpu_profile"] == "ncu" and found.timing == PASSED.timing
    assert "bound by memory" in explain(found, kernel=KERNEL)


def test_without_a_profiler_the_evaluation_stands_and_says_why(evaluated):
    found = evaluated(PASSED, looked=MissingTool("nvcc is\nnot here"))
    assert [one.tool for one in found.profiles] == ["static"]
    assert found.environment["gpu_profile"] == "none: nvcc is not here"


def test_a_kernel_that_is_not_looked_at_is_left_as_it_is(evaluated):
    wrong = dataclasses.replace(PASSED, status=Status.WRONG_VALUE, timing=None)
    assert evaluated(wrong).profiles == () and "gpu_profile" not in evaluated(wrong).environment


def test_only_languages_of_the_gpu_get_such_a_judge(monkeypatch):
    made = []
    monkeypatch.setattr(local, "make_gpu_judge", lambda *settings: made.append(settings[-1]) or "gpu")
    monkeypatch.setattr(local, "make_judge", lambda *_: "cpu")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-7")
    assert local._start("process", local.Rules(), False, "cuda") == "gpu" and made == ["GPU-7"]
    assert local._start("process", local.Rules(), False, "cpp") == "cpu"
