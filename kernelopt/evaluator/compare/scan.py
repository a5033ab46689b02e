"""Errors of one output against the fp64 reference: how many are too large, and the largest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch

from kernelopt.evaluator.data.spread import pieces, spread
from kernelopt.suites._trivial import glance
from kernelopt.task import Tolerance

LEAST = torch.finfo(torch.float32).tiny / torch.finfo(torch.float32).eps
"""Tolerance from which on float32 has all of its digits for what lies just below it."""
CLOSE = 1 - 2**-20
"""Part of a tolerance below which float32 can say that an error is within it."""
LOST = 2.0**-46
"""Part of a number that two halves may miss of it; two roundings to 24 bits leave 2^-48."""


@dataclass(frozen=True, slots=True)
class Halves:
    """An fp64 tensor as a sum of two in float32, which differs from it by at most 2^-46 of it.

    To subtract one after the other from an output gives its error with 2^-23 of that error: where the
    output is within a factor of two of `high`, the first difference is exact (Sterbenz, 1974). It takes
    a third of the time that arithmetic in fp64 does, where memory is what one waits for.
    """

    high: torch.Tensor
    """Flat, in the order of the fp64 tensor."""
    low: torch.Tensor
    """What is missing; zero where that is not finite."""
    shape: torch.Size

    @classmethod
    def of(cls, wide: torch.Tensor, kind: torch.dtype) -> Halves | None:
        """None where `wide` is not in fp64, outputs (`kind`) are too, or digits would be lost.

        They are lost beyond the range of float32, and where what is missing is subnormal.
        """
        if wide.dtype != torch.float64 or kind == torch.float64:
            return None
        flat = wide.reshape(-1)
        high, low = (torch.empty(len(flat), dtype=torch.float32) for _ in range(2))
        halves = cls(high, low, wide.shape)
        kept = spread([partial(_halve, flat[here], halves.part(here)) for here in pieces(len(flat))])
        return halves if all(kept) else None

    def part(self, where: slice) -> Halves:
        """Some of the elements, flat."""
        high = self.high[where]
        return Halves(high, self.low[where], high.shape)

    def whole(self) -> torch.Tensor:
        """The fp64 tensor again."""
        return self.high.double().add_(self.low).view(self.shape)

    def glance(self) -> torch.Tensor:
        """A glance at the fp64 tensor (see `suites._trivial.glance`)."""
        return glance(self.high).double().add_(glance(self.low))

    def nbytes(self) -> int:
        """Bytes of both."""
        return self.high.nbytes + self.low.nbytes


def _halve(wide: torch.Tensor, into: Halves) -> bool:
    """Whether both together are what was halved."""
    into.high.copy_(wide)
    missing = wide - into.high
    into.low.copy_(missing)
    lost = missing.sub_(into.low).abs_().sub_(wide.abs(), alpha=LOST)
    if bool((lost <= 0).all()):
        return True
    holes = ~wide.isfinite()
    into.low[holes] = 0.0
    return bool((lost <= 0).logical_or_(holes).all())


Found = tuple[int, float, float]


def scan(out: torch.Tensor, want: torch.Tensor | Halves, allowed: Tolerance) -> Found:
    """Elements outside of `allowed`, largest absolute error, largest error relative to |want|.

    Where `want` is NaN or infinite the same is asked for. Errors are over finite pairs; relative
    ones count only where |want| exceeds `allowed.atol`. Halves are the faster form of `want`.
    """
    flat = out.reshape(-1)
    part = want.part if isinstance(want, Halves) else want.reshape(-1).__getitem__
    parts = [partial(_scan_piece, flat[here], part(here), allowed) for here in pieces(len(flat))]
    wrong, worst, relative = 0, 0.0, 0.0
    for found in spread(parts):
        wrong, worst, relative = wrong + found[0], max(worst, found[1]), max(relative, found[2])
    return wrong, worst, relative


def _scan_piece(out: torch.Tensor, want: torch.Tensor | Halves, allowed: Tolerance) -> Found:
    """`scan` of one piece; in float32 where that is enough to see that all of it is right."""
    if isinstance(want, torch.Tensor):
        return _scan_part(out, want, allowed)
    if allowed.atol > LEAST:
        error = out.float().sub(want.high).sub_(want.low)
        worst = _magnitude(error)
        if worst <= allowed.atol * CLOSE:
            return 0, worst, _magnitude(error.div_(want.high.abs().clamp_min_(allowed.atol)))
    return _scan_part(out, want.whole(), allowed)


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
