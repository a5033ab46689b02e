"""Factors and offsets between output and reference: one for all, one an index, one a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kernelopt.evaluator.compare.mismatch_scan import Differences, Indices, Values, thinned

_MOST = 0.98
"""A relation holds when this share of the wrong elements obeys it."""
_FEW = 4
"""Up to so many elements prove a factor only when it is a size that occurs."""
_MEMBERS = 8
"""Elements that each group needs on average."""
_ROWS = 64
"""How many rows are compared to find a constant of each row."""
_ROW_ELEMENTS = 1 << 14
"""How many elements of them, together."""


def whole(
    differences: Differences, actual: Values, expected: Values, sizes: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """``factor`` (with the size it equals), ``offset``, or ``affine`` for both at once."""
    factor = _ratio(actual, expected)
    if factor and _holds(differences, actual, factor * expected, factor):
        known = _name_factor(factor, [*sizes, *differences.shape])
        if known or (len(actual) > _FEW and np.ptp(expected) > 0):
            yield {"kind": "factor", "factor": factor, "equals": known}
    if len(actual) <= _FEW or np.ptp(expected) == 0:
        return
    offset = float(np.median(actual - expected))
    if _holds(differences, actual, expected + offset):
        yield {"kind": "offset", "offset": offset}
    if len(actual) > 4 * _FEW:
        yield from _affine(differences, actual, expected)


def _affine(differences: Differences, actual: Values, expected: Values) -> Iterator[dict[str, Any]]:
    centred = expected - expected.mean()
    slope = float((centred * actual).mean() / max(float(np.square(centred).mean()), 1e-300))
    offset = float(actual.mean() - slope * expected.mean())
    if abs(slope) > 1e-3 and _holds(differences, actual, slope * expected + offset, slope):
        yield {"kind": "affine", "factor": slope, "offset": offset}


def per_index(
    differences: Differences, where: Indices, actual: Values, expected: Values
) -> Iterator[dict[str, Any]]:
    """``factor_per`` or ``offset_per`` coordinate of an axis: a missing bias or channel scale."""
    if len(differences.shape) < 2:
        return
    for axis, group in enumerate(differences.coordinates(where)):
        size = differences.shape[axis]
        kind = _grouped(differences, group, actual, expected) if size > 1 else ""
        if kind:
            yield {"kind": kind, "axis": axis, "size": size}


def per_row(differences: Differences) -> Iterator[dict[str, Any]]:
    """The same for each row: a wrong maximum, sum, mean or variance of the row."""
    row = differences.shape[-1]
    rows = thinned(np.unique(differences.sample // row), _ROWS)
    part = np.arange(min(row, _ROW_ELEMENTS // _ROWS))
    where = (rows[:, None] * row + part).ravel()
    group = np.repeat(np.arange(len(rows)), len(part))
    actual, expected = differences.values(where)
    usable = differences.wrong[where] & np.isfinite(actual)
    kind = _grouped(differences, group[usable], actual[usable], expected[usable])
    if kind:
        yield {"kind": kind, "axis": "row", "size": differences.total // row}


def _grouped(differences: Differences, group: Indices, actual: Values, expected: Values) -> str:
    """``factor_per`` or ``offset_per`` when the values of each group obey one constant of it."""
    groups = len(np.unique(group))
    if groups < 2 or len(group) < _MEMBERS * groups:
        return ""
    members = np.maximum(np.bincount(group), 1)
    offset = np.bincount(group, actual - expected) / members
    if _holds(differences, actual, expected + offset[group]):
        return "offset_per"
    energy = np.bincount(group, expected * expected)
    factor = np.bincount(group, actual * expected) / np.where(energy > 0, energy, 1)
    scale = factor[group]
    if np.ptp(scale) > 0 and _holds(differences, actual, scale * expected, scale):
        return "factor_per"
    return ""


def _ratio(actual: Values, expected: Values) -> float:
    """Median of actual / expected over the larger half of the reference; 0 when there is none."""
    large = (np.abs(expected) >= np.median(np.abs(expected))) & (expected != 0)
    return float(np.median(actual[large] / expected[large])) if large.any() else 0.0


def _holds(differences: Differences, actual: Values, model: Values, scale: float | Values = 1.0) -> bool:
    return bool(np.mean(differences.close(actual, model, scale)) >= _MOST)


def _name_factor(factor: float, sizes: Sequence[int]) -> str:
    """``1/4096`` when the factor is a size that occurs, its root or inverse; ``""`` otherwise."""
    for size in sorted({n for n in sizes if n > 1}):
        named = {
            str(size): size,
            f"1/{size}": 1 / size,
            f"sqrt({size})": math.sqrt(size),
            f"1/sqrt({size})": 1 / math.sqrt(size),
            f"{size}/{size - 1}": size / (size - 1),
            f"{size - 1}/{size}": (size - 1) / size,
        }
        for name, value in named.items():
            if math.isclose(factor, value, rel_tol=1e-5):
                return name
    return ""
