"""Errors of one output against the fp64 reference: how many are too large, and the largest."""

from __future__ import annotations

import math
from functools import partial

import torch

from kernelopt.evaluator.spread import pieces, spread
from kernelopt.task import Tolerance


def scan(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance) -> tuple[int, float, float]:
    """Elements outside of `allowed`, largest absolute error, largest error relative to |want|.

    Where `want` is NaN or infinite the same is asked for. Errors are over finite pairs; relative
    ones count only where |want| exceeds `allowed.atol`.
    """
    flat_out, flat_want = out.reshape(-1), want.reshape(-1)
    parts = [partial(_scan_part, flat_out[part], flat_want[part], allowed) for part in pieces(want.numel())]
    wrong, worst, relative = 0, 0.0, 0.0
    for here in spread(parts):
        wrong, worst, relative = wrong + here[0], max(worst, here[1]), max(relative, here[2])
    return wrong, worst, relative


def _scan_part(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance) -> tuple[int, float, float]:
    """`scan` of one chunk, in as few passes over memory as there can be where all is well."""
    error, size, wrong = out.double().sub_(want), want.abs(), 0
    worst = _magnitude(error)
    if not math.isfinite(worst):
        return _scan_holes(out, want, allowed)
    if worst > allowed.atol:
        wrong = int((error.abs() > size * allowed.rtol + allowed.atol).count_nonzero())
    relative = _magnitude(error.div_(size.clamp_min_(max(allowed.atol, 1e-300))))
    return wrong, worst, relative


def _scan_holes(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance) -> tuple[int, float, float]:
    """`scan` of one chunk in which something is NaN or infinite."""
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
