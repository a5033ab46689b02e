"""Executor `local`: judges in processes of their own, side by side where there are several rollouts."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kernelopt.evaluation import Status
from kernelopt.executors import local
from kernelopt.executors.local import LocalExecutor
from kernelopt.kernel import Kernel
from kernelopt.task import Task

TASK = Task(
    "local/double",
    "double",
    """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return x * 2.0
def get_inputs():
    return [torch.randn(40, 33)]
def get_init_inputs():
    return []
""",
    "local",
)
DOUBLE = """
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void f(const float* x, float* y, int64_t n) {{
  for (int64_t i = 0; i < n; ++i) y[i] = {factor} * x[i];
}}
''')
class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""


def double(factor="2.0f"):
    return Kernel.from_source(DOUBLE.format(factor=factor), "cpp")


def forks(number):
    """A kernel that the static look refuses: a judge starts for it, but no sandbox."""
    return Kernel.from_source(f"import os\nos.fork()  # {number}\nclass ModelNew: ...", "cpp")


@pytest.fixture
def executor(monkeypatch):
    monkeypatch.setattr(local, "judges", lambda: 2)
    made = LocalExecutor()
    yield made
    made.close()


def test_rollouts_side_by_side_have_a_judge_each(executor):
    kernels = [double(), double("3.0f"), double("(1.0f + 1.0f)"), double("1.0f")]
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(lambda kernel: executor.evaluate(kernel, TASK), kernels))
    assert [one.kernel_hash for one in found] == [kernel.hash for kernel in kernels]
    right, wrong = Status.PASSED, Status.WRONG_VALUE
    assert [one.status for one in found] == [right, wrong, right, wrong]
    assert len(executor._judges) == 2


def test_one_rollout_after_the_other_has_one_judge(executor):
    for number in range(3):
        assert executor.evaluate(forks(number), TASK).status is Status.SUSPECT
    assert len(executor._judges) == 1


def test_a_machine_without_room_for_two_has_one(executor, monkeypatch):
    monkeypatch.setattr(local, "judges", lambda: 1)
    with ThreadPoolExecutor(3) as callers:
        found = list(callers.map(lambda number: executor.evaluate(forks(number), TASK), range(3)))
    assert {one.status for one in found} == {Status.SUSPECT}
    assert len(executor._judges) == 1


def test_a_judge_that_dies_takes_no_other_with_it(executor):
    barrier = threading.Barrier(2)

    def evaluate(number):
        barrier.wait(20)
        return executor.evaluate(forks(number), TASK)

    with ThreadPoolExecutor(2) as callers:
        list(callers.map(evaluate, range(2)))
        first, second = ([*judge._pool._processes] for judge in executor._judges)
        os.kill(first[0], signal.SIGKILL)
        found = list(callers.map(evaluate, range(2, 4)))
    assert {one.status for one in found} == {Status.SUSPECT}
    assert [*executor._judges[1]._pool._processes] == second
    assert [*executor._judges[0]._pool._processes] != first


def test_nothing_is_left_of_a_closed_one_and_it_can_go_on(executor):
    executor.evaluate(forks(0), TASK)
    folder = Path(executor._turns)
    assert sorted(path.name for path in folder.iterdir()) == ["door", "room"]
    executor.close()
    assert not folder.exists()
    assert executor.evaluate(forks(1), TASK).status is Status.SUSPECT
