"""Results of a reference → what is wanted of an output, with the figures that a tolerance is made of.

Errors are largest ones, over all elements of an output, so a few huge numbers would pay for all others:
behind a quotient or an exponential their rounding alone is larger than a whole term that a kernel leaves out.
But what is in proportion to a number, the relative part of its tolerance covers: that is *spared*.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from kernelopt.evaluator.expected.bulk import WIDER, Bulk, bulk
from kernelopt.evaluator.expected.sample import (
    Wanted,
    holes,
    largest_errors,
    overlaps,
    real,
    root_mean_square,
)
from kernelopt.suites._trivial import FLOOR, glance

SPARED_ERROR, SPARED_MOVE = 1 / 64, 1 / 16
"""Parts of a dtype's floor that are spared of PyTorch's own error, and of how far rounding moves a number.
Times `Settings.error_factor` (64 by default) and times a quarter of it (`tolerances.SHAKEN`), as the two
are allowed, both give the floor, which the tolerance allows of each number anyway."""
SPARED_HALF = 1 / 4
"""That of both for half types, where the factor is a sixteenth (`tolerances.COARSE`)."""


def widest(number: torch.Tensor) -> torch.Tensor:
    """A number as wide as there is."""
    return number.to(torch.complex128) if number.is_complex() else number.double()


def wanted(eager: torch.Tensor, wide: torch.Tensor) -> Wanted:
    """A result in fp64 (integers as the reference itself has them), with the error of PyTorch's own."""
    numbers = eager.is_floating_point() or eager.is_complex()
    value = real(widest(wide)) if numbers else eager
    error, excess = largest_errors(real(eager), value, (0.0, _spared(eager.dtype, SPARED_ERROR)))
    return Wanted(value, eager.dtype, error, excess, root_mean_square(value), holes=holes(value))


def output(eager: torch.Tensor, wide: torch.Tensor, homes: set[int], stores: Sequence[int] = ()) -> Wanted:
    """An output of the reference; `homes`: where its arguments lie, `stores`: where outputs do."""
    shared, store = overlaps(eager.shape, eager.stride()), eager.untyped_storage().data_ptr()
    one = wanted(eager, wide)
    home = stores.index(store) if stores else None
    return replace(one, overlaps=shared, aliases=store in homes, home=home, bulk=_bulk(eager, one))


def _bulk(eager: torch.Tensor, one: Wanted) -> Bulk | None:
    """Of half types there is none: their error is in proportion to each number; nor of pairs of numbers."""
    found = bulk(one.value, one.rms) if one.dtype in (torch.float32, torch.float64) else None
    if found is None or not one.excess:
        return found
    spared = WIDER * _spared(eager.dtype, SPARED_ERROR)
    return replace(found, excess=largest_errors(real(eager), one.value, (spared,))[0])


def as_given(one: Wanted) -> Wanted:
    """On the task's own inputs rounding may explain four times the least tolerance, not more.

    An operator that jumps (a sign, a rounding, an argmax) moves by whole steps when shaken, and would
    let anything pass.
    """
    most = FLOOR.get(one.kind, 0.0) * one.rms / 4
    found = replace(one.bulk, moved=min(one.bulk.moved, most)) if one.bulk else None
    return replace(one, sensitivity=min(one.sensitivity, most), moved=min(one.moved, most), bulk=found)


Moves = tuple[float, float, float]
"""How far rounding moves an output: whole, beyond what is spared, and beyond what is where it has a tail."""


def shifted(one: Wanted, moves: Moves) -> Wanted:
    """The output with how far rounding moves it (see `displacement`)."""
    found = replace(one.bulk, moved=moves[2]) if one.bulk else None
    return replace(one, sensitivity=moves[0], moved=moves[1], bulk=found)


def displacement(found: torch.Tensor, wide: torch.Tensor, *, tail: bool = False) -> Moves:
    """The largest error, that beyond what is spared, and that beyond `WIDER` times as much for a `tail`.

    Infinite where a finite number became none. Of integers it is how many of them changed.
    """
    if not wide.is_floating_point():
        changed = float((found != wide).sum())
        return changed, changed, changed
    spared = _spared(found.dtype, SPARED_MOVE)
    every = (0.0, spared, WIDER * spared) if tail else (0.0, spared)
    whole, beyond, *last = largest_errors(real(found), wide, every, lost=math.inf)
    return whole, beyond, last[0] if last else beyond


def _spared(dtype: torch.dtype, part: float) -> float:
    """What is spared of each number of a dtype."""
    kind = dtype.to_real()
    coarse = kind in (torch.float16, torch.bfloat16)
    return FLOOR.get(kind, 0.0) * (SPARED_HALF if coarse else part)


def with_rounding(one: Wanted, name: str, short: torch.Tensor) -> Wanted:
    """The output with what rounding to the type `name` adds; as it is, where it holds no such numbers."""
    if not one.value.is_floating_point():
        return one
    return replace(one, rounded={**one.rounded, name: _added(short, one.value)})


def _added(short: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """What rounding added, at a glance."""
    return glance(real(short)).double() - glance(exact)
