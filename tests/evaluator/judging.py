"""Tasks in one line, and verdicts on answers written in torch, without any worker."""

import random
from functools import lru_cache

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.compare.check import compare
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.settings import Settings
from kernelopt.task import Task


def task(forward, inputs, *, sig="x", init="pass", head="", **fields):
    """A task whose `forward` and inputs are expressions."""
    source = f"""
import torch
from torch import nn
import torch.nn.functional as F
{head}
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        {init}
    def forward(self, {sig}):
        return {forward}
def get_inputs():
    return {inputs}
def get_init_inputs():
    return []
"""
    return Task("t", "t", source, "file", **fields)


@lru_cache(maxsize=64)
def reference(forward, inputs, seed=11, **rest):
    return Reference(task(forward, inputs, **rest), Settings(threads=1), random.Random(seed))


def claim(tensor, **changes):
    """What a worker says of an output."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    shape, stride = list(tensor.shape), list(tensor.stride())
    return {
        "type": "torch.Tensor",
        "shape": shape,
        "stride": stride,
        "dtype": dtype,
        "device": "cpu",
        **changes,
    }


@torch.no_grad()
def verdict(known, answer) -> Check:
    """The first check of `answer(*args)` that fails, else the last."""
    settings = known.settings
    for sample in known.samples:
        found = answer(*sample.args)
        outputs = list(found) if isinstance(found, list | tuple) else [found]
        check = compare(sample, [claim(o) for o in outputs], outputs, factor=settings.error_factor)
        if check.status is not Status.PASSED:
            break
    return check


def passes(known, answer) -> bool:
    return verdict(known, answer).status is Status.PASSED
