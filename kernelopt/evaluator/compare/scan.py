"""Errors of one output against the fp64 reference: how many are too large, and the largest."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import torch

from kernelopt.evaluator.data.spread import pieces, spread
from kernelopt.task import Tolerance

LEAST = torch.finfo(torch.float32).tiny / torch.finfo(torch.float32).eps
"""Tolerance from which on float32 has all of its digits for what lies just below it."""
CLOSE = 1 - 2**-20
"""Part of a tolerance below which float32 can say that an error is within it."""


class Halves(NamedTuple):
    """An fp64 tensor as a sum of two in float32, which differs from it by 2^-48 of it.

    To subtract one after the other from an output gives its error with 2^-23 of that error: where the
    output is within a factor of two of `high`, the first difference is exact (Sterbenz, 1974). It takes
    a third of the time that arithmetic in fp64 does, where memory is what one waits for.
    """

    high: torch.Tensor
    low: torch.Tensor

    @classmethod
    def of(cls, wide: torch.Tensor, kind: torch.dtype) -> Halves | None:
        """Flat, in the order of `wide`; None where that is not in fp64, or outputs (`kind`) are too."""
        if wide.dtype != torch.float64 or kind == torch.float64:
            return None
        flat = wide.reshape(-1)
        halves = cls(*(torch.empty(len(flat), dtype=torch.float32) for _ in range(2)))
        spread([partial(_halve, flat[here], halves.part(here)) for here in pieces(len(flat))])
        return halves

    def part(self, where: slice) -> Halves:
        """Some of the elements."""
        return Halves(self.high[where], self.low[where])


def _halve(wide: torch.Tensor, into: Halves) -> None:
    into.high.copy_(wide)
    into.low.copy_(wide - into.high)


Found = tuple[int, float, float]


def scan(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance, halves: Halves | None = None) -> Found:
    """Elements outside of `allowed`, largest absolute error, largest error relative to |want|.

    Where `want` is NaN or infinite the same is asked for. Errors are over finite pairs; relative
    ones count only where |want| exceeds `allowed.atol`. `halves`, of `want`, make it faster.
    """
    flat_out, flat_want = out.reshape(-1), want.reshape(-1)
    quick = halves if allowed.atol > LEAST else None
    parts = [
        partial(_scan_piece, flat_out[here], flat_want[here], allowed, quick.part(here) if quick else None)
        for here in pieces(want.numel())
    ]
    wrong, worst, relative = 0, 0.0, 0.0
    for found in spread(parts):
        wrong, worst, relative = wrong + found[0], max(worst, found[1]), max(relative, found[2])
    return wrong, worst, relative


def _scan_piece(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance, halves: Halves | None) -> Found:
    """`scan` of one piece; in float32 where that is enough to see that all of it is right."""
    if halves:
        error = out.float().sub(halves.high).sub_(halves.low)
        worst = _magnitude(error)
        if worst <= allowed.atol * CLOSE:
            return 0, worst, _magnitude(error.div_(halves.high.abs().clamp_min_(allowed.atol)))
    return _scan_part(out, want, allowed)


def _scan_part(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance) -> Found:
    """`scan` of one piece, in as few passes over memory as there can be where all is well."""
    error, size, wrong = out.double().sub_(want), want.abs(), 0
    worst = _magnitude(error)
    if not math.isfinite(worst):
        return _scan_holes(out, want, allowed)
    if worst > allowed.atol:
        wrong = int((error.abs() > size * allowed.rtol + allowed.atol).count_nonzero())
    relative = _magnitude(error.div_(size.clamp_min_(max(allowed.atol, 1e-300))))
    return wrong, worst, relative


def _scan_holes(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance) -> Found:
    """`scan` of one piece in which something is NaN or infinite."""
    out = out.double()
    error, size = (out - want).abs_(), want.abs()
    good = error <= size * allowed.rtol + allowed.atol
    good = torch.where(want.isfinite(), good, (out == want) | (out.isnan() & want.isnan()))
    finite = error.isfinite()
    error, size = error[finite], size[finite].clamp_min_(max(allowed.atol, 1e-300))
    wrong = good.numel() - int(good.count_nonzero())
    return (wrong, _magnitude(error), _magnitude(error / size)) if error.numel() else (wrong, 0.0, 0.0)


def _magnitude(values: torch.Tensor) -> float:
    """The largest; not finite where one of them is not."""
    low, high = torch.aminmax(values)
    return max(-float(low), float(high)) if math.isfinite(float(low - high)) else math.inf
