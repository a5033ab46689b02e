"""Input sets as a worker gets them, dense, and as the reference does in fp64."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from kernelopt.evaluator.data.arena import is_dense


def double(args: Sequence[Any]) -> list[Any]:
    """A copy of `args` with floating-point tensors in fp64, nested ones too."""
    return [_doubled(arg) for arg in args]


def dense(args: Sequence[Any]) -> list[Any]:
    """`args` with every tensor's elements back to back in memory, strides kept where they permit it."""
    return [_dense(arg) for arg in args]


def _dense(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(dense(arg))
    return arg.contiguous() if isinstance(arg, torch.Tensor) and not is_dense(arg) else arg


def _doubled(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(double(arg))
    if isinstance(arg, torch.Tensor):
        return arg.to(torch.float64, copy=True) if arg.is_floating_point() else arg.clone()
    return copy.deepcopy(arg)
