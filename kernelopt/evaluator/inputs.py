"""Input sets as a worker gets them: dense, and spliced so that none was seen before."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kernelopt.evaluator.arena import is_dense, leaves


def double(args: Sequence[Any]) -> list[Any]:
    """A copy of `args` with floating-point tensors in fp64, nested ones too."""
    return [_doubled(arg) for arg in args]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a new input set is made out of two of a pool: `first` with a cyclic stretch of `second`.

    Elements keep their position, so masks, labels and triangular structure stay valid, but the
    content has never been seen: two sets of n elements give about n² others for the price of a copy.
    """

    first: int
    second: int
    start: float
    """Where the stretch begins, as a fraction of each tensor."""
    length: float
    """How long it is, as a fraction of each tensor (0.25 to 0.75)."""

    @classmethod
    def random(cls, pool: int, chance: random.Random) -> Recipe:
        """A fresh recipe for a pool of `pool` sets."""
        first, second = chance.sample(range(pool), 2)
        return cls(first, second, chance.random(), chance.uniform(0.25, 0.75))

    def pour(self, targets: Sequence[torch.Tensor], pool: Sequence[Sequence[Any]]) -> None:
        """Write the set's tensors into `targets` (dense, of the same shapes and strides)."""
        sources = zip(leaves(list(pool[self.first])), leaves(list(pool[self.second])), strict=True)
        for target, (a, b) in zip(targets, sources, strict=True):
            self._pour(_flat(target), _flat(a), _flat(b))

    def args(self, pool: Sequence[Sequence[Any]]) -> list[Any]:
        """The set as call arguments of their own, for an audit."""
        made = copy.deepcopy(list(pool[self.first]))
        self.pour(leaves(made), pool)
        return made

    def _pour(self, out: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> None:
        size = out.numel()
        start, stop = int(self.start * size), int((self.start + self.length) * size)
        wrapped = max(stop - size, 0)
        stop = min(stop, size)
        for source, low, high in ((b, 0, wrapped), (a, wrapped, start), (b, start, stop), (a, stop, size)):
            out[low:high] = source[low:high]


def dense(args: Sequence[Any]) -> list[Any]:
    """`args` with every tensor's elements back to back in memory, strides kept where they permit it."""
    return [_dense(arg) for arg in args]


def _dense(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(dense(arg))
    return arg.contiguous() if isinstance(arg, torch.Tensor) and not is_dense(arg) else arg


def _flat(tensor: torch.Tensor) -> torch.Tensor:
    """The elements of a dense tensor in memory order, as a view."""
    return tensor.as_strided((tensor.numel(),), (1,))


def _doubled(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(double(arg))
    if isinstance(arg, torch.Tensor):
        return arg.to(torch.float64, copy=True) if arg.is_floating_point() else arg.clone()
    return copy.deepcopy(arg)
