"""How an output differs from the reference: facts, which `feedback` turns into sentences.

The facts are plain JSON. `patterns` is a list of ``{"kind": name, ...}``, the most telling first:

where   tail, end, single, slice, every, range, borders
how     all_zero, not_finite, constant, garbage, factor, offset, affine, factor_per, offset_per,
        shifted, transposed, small_errors, near_tolerance, not_repeatable
when    large_only, one_sign, zero_expected
what    reduced_precision (added by `check`, which knows what rounding would do)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from kernelopt.evaluator.compare import mismatch_how, mismatch_when, mismatch_where
from kernelopt.evaluator.compare.mismatch_scan import Differences, scan

FIRST = 6
"""How many wrong elements are listed with their values."""


def analyse(
    actual: torch.Tensor,
    expected: torch.Tensor,
    *,
    atol: float,
    rtol: float,
    inputs: Sequence[Any] = (),
    again: torch.Tensor | None = None,
) -> dict[str, Any]:
    """Facts about how `actual` differs from `expected`, as plain JSON data. Never raises.

    Args:
        actual: the candidate's output, any dtype and shape.
        expected: the reference, float64 (other dtypes are converted).
        atol: absolute tolerance, in units of the output.
        rtol: relative tolerance.
        inputs: what both were computed from; anything that is not a real tensor is passed over.
        again: a second output for the same inputs, to tell a race from a wrong formula.

    Returns:
        ``shape, dtype, total, wrong, fraction, max_abs_error, max_rel_error, nan, inf, first,
        ranges, patterns``; only ``shape, expected_shape, dtype, patterns`` where shapes differ.
    """
    facts: dict[str, Any] = {
        "shape": list(actual.shape),
        "dtype": str(actual.dtype).removeprefix("torch."),
    }
    if actual.shape != expected.shape:
        return {**facts, "expected_shape": list(expected.shape), "patterns": []}
    if "meta" in (actual.device.type, expected.device.type):
        return {**facts, "patterns": []}
    if actual.is_complex() or expected.is_complex():
        actual, expected = _as_real(actual), _as_real(expected)
        again = _as_real(again) if again is not None and again.shape == actual.shape[:-1] else None
    differences = scan(actual, expected, atol=atol, rtol=rtol)
    facts |= _amounts(differences)
    # Outputs may hold anything, so overflow here is theirs; it only keeps a relation from holding.
    with np.errstate(all="ignore"):
        facts["patterns"] = _patterns(differences, inputs, again) if differences.count else []
    return facts


def _as_real(tensor: torch.Tensor) -> torch.Tensor:
    """A complex tensor with a last axis of two: real and imaginary part."""
    return torch.view_as_real(tensor.detach().resolve_conj().to(torch.complex128))


def _amounts(differences: Differences) -> dict[str, Any]:
    first = differences.where[:FIRST]
    actual, expected = differences.values(first)
    indices = zip(*(c.tolist() for c in differences.coordinates(first)), strict=True)
    entries = zip(indices, actual, expected, strict=True)
    return {
        "total": differences.total,
        "wrong": differences.count,
        "fraction": differences.count / max(differences.total, 1),
        "max_abs_error": number(differences.max_abs),
        "max_rel_error": number(differences.max_rel),
        **mismatch_how.not_finite_counts(differences),
        "first": [{"index": list(i), "actual": number(a), "expected": number(e)} for i, a, e in entries],
        "ranges": mismatch_where.ranges(differences),
    }


def _patterns(
    differences: Differences, inputs: Sequence[Any], again: torch.Tensor | None
) -> list[dict[str, Any]]:
    found = [
        *mismatch_how.repeatability(differences, again),
        *mismatch_how.patterns(differences, _sizes(inputs)),
        *mismatch_where.patterns(differences),
        *mismatch_when.patterns(differences, inputs),
    ]
    return [{key: _plain(value) for key, value in pattern.items()} for pattern in found]


def _sizes(inputs: Sequence[Any]) -> list[int]:
    """Sizes that a forgotten or superfluous division may have: axes, whole tensors, rows times columns."""
    sizes: set[int] = set()
    for x in inputs:
        if isinstance(x, torch.Tensor):
            sizes |= {*x.shape, x.numel(), math.prod(x.shape[-2:])}
    return sorted(sizes)


def _plain(value: Any) -> Any:
    return number(value) if isinstance(value, float) else value


def number(value: float) -> float | str:
    """A float that strict JSON can hold: ``nan`` and infinities become words."""
    return float(value) if math.isfinite(value) else str(float(value))
