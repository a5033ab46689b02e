"""The judge's line on a GPU that is a stand-in: no kernel is launched, all else is as with a GPU.

Candidates are torch code on CPU tensors that pose as CUDA ones; what they do to memory, handles and the
queue of the stand-in is what native code could do to those of a GPU.
"""

from kernelopt.evaluation import Stage, Status
from kernelopt.task import Task

TASK = Task(
    id="scale",
    name="scale",
    suite="file",
    source="""
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.randn(37))

    def forward(self, x):
        return torch.relu(x * self.factor + self.bias)

def get_inputs():
    return [torch.rand(500, 37)]

def get_init_inputs():
    return [3.0]
""",
)
HEAD = """
import ctypes
import sys
import torch
from torch import nn

class ModelNew(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.randn(37))
        self.calls = 0

    def right(self, x):
        return torch.relu(x * self.factor + self.bias)

    def forward(self, x):
        self.calls += 1
        {}
"""


def answer(forward="return self.right(x)", head=""):
    return head + HEAD.format(forward)


def test_an_honest_kernel_is_checked_and_timed(evaluate):
    found = evaluate(answer(), TASK)
    assert (found.status, found.stage) == (Status.PASSED, Stage.DONE), found.reason
    assert found.device == "cuda"
    assert {check.workload_id for check in found.checks} == {"given/1", "mixed/1"}
    assert found.timing.rounds == 5 and found.timing.calls > 0
    assert found.environment["between_sd"].endswith("(default: not calibrated on a GPU)")
