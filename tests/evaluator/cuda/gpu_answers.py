"""A small task, and answers that run on the stand-in: torch code on CPU tensors that pose as CUDA ones."""

import dataclasses

from kernelopt.task import Task

TASK = Task(
    id="scale",
    name="scale",
    suite="file",
    source="""
import torch
from torch import nn

batch_size = 500

class Model(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.randn(37))

    def forward(self, x):
        return torch.relu(x * self.factor + self.bias)

def get_inputs():
    return [torch.rand(batch_size, 37)]

def get_init_inputs():
    return [3.0]
""",
)


def variant(forward, inputs):
    """The same task with another `forward` and other inputs."""
    source = TASK.source.replace("return torch.relu(x * self.factor + self.bias)", forward)
    source = source.replace("torch.rand(batch_size, 37)", inputs)
    return dataclasses.replace(TASK, id="variant", source=source)


ANSWER = """
import ctypes
import os
import sys
import torch
from torch import nn
import gpu

LIBRARY = torch.cuda.standin
MAIN = sys.modules["serving"]
BYTES = 500 * 37 * 4
HOSTS = bytearray(BYTES)  # memory that is no GPU's
state = {{"timed": False}}

def later(to, source, ms):
    at, of = ctypes.c_uint64(to.data_ptr()), ctypes.c_uint64(source.data_ptr())
    assert LIBRARY.standin_later(at, of, ctypes.c_size_t(BYTES), ctypes.c_double(ms)) == 0

begin = gpu.Gpu.begin
def note(self):
    state["timed"] = True
    return begin(self)
gpu.Gpu.begin = note
{head}

class ModelNew(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.randn(37))

    def right(self, x):
        return torch.relu(x * self.factor + self.bias)

    def forward(self, x):
        {forward}
"""
"""`state["timed"]` is true from the first timed batch on: a cheat may well find that out."""


def answer(forward="return self.right(x)", head=""):
    return ANSWER.format(forward=forward, head=head)
