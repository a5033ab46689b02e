"""Results of a reference → what is wanted of an output, with the figures that a tolerance is made of."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from kernelopt.evaluator.expected.sample import Wanted, holes, largest_error, overlaps, real, root_mean_square
from kernelopt.suites._trivial import FLOOR, glance


def widest(number: torch.Tensor) -> torch.Tensor:
    """A number as wide as there is."""
    return number.to(torch.complex128) if number.is_complex() else number.double()


def wanted(eager: torch.Tensor, wide: torch.Tensor) -> Wanted:
    """A result in fp64 (integers as the reference itself has them), with the error of PyTorch's own."""
    numbers = eager.is_floating_point() or eager.is_complex()
    value = real(widest(wide)) if numbers else eager
    error, rms = largest_error(real(eager), value), root_mean_square(value)
    return Wanted(value, eager.dtype, error, rms, holes=holes(value))


def output(eager: torch.Tensor, wide: torch.Tensor, homes: set[int]) -> Wanted:
    """An output of the reference; `homes` are the addresses of its arguments' memory."""
    shared = overlaps(eager.shape, eager.stride())
    aliases = eager.untyped_storage().data_ptr() in homes
    return replace(wanted(eager, wide), overlaps=shared, aliases=aliases)


def as_given(one: Wanted) -> Wanted:
    """On the task's own inputs rounding may explain four times the least tolerance, not more.

    An operator that jumps (a sign, a rounding, an argmax) moves by whole steps when shaken, and would
    let anything pass.
    """
    return replace(one, sensitivity=min(one.sensitivity, FLOOR.get(one.kind, 0.0) * one.rms / 4))


def displacement(found: torch.Tensor, wide: torch.Tensor) -> float:
    """The largest error; infinite where a finite number became none, or an integer changed."""
    if not wide.is_floating_point():
        return 0.0 if torch.equal(found, wide) else math.inf
    return largest_error(real(found), wide, lost=math.inf)


def with_rounding(one: Wanted, name: str, short: torch.Tensor) -> Wanted:
    """The output with what rounding to the type `name` adds; as it is, where it holds no such numbers."""
    if not one.value.is_floating_point():
        return one
    return replace(one, rounded={**one.rounded, name: _added(short, one.value)})


def _added(short: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """What rounding added, at a glance."""
    return glance(real(short)).double() - glance(exact)
