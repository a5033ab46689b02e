"""Where the wrong elements lie: tails, ends, slices, periods, borders.

A pattern is "all wrong elements lie in a region". It counts only when that would hardly happen by
chance: with n wrong elements and a region of volume fraction f, chance is f to the power n.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelopt.evaluator.compare.mismatch_scan import Differences, Indices

_CHANCE = 1e-3
_VECTOR_STEPS = (64, 32, 16, 8, 4)


def ranges(differences: Differences) -> list[list[int]]:
    """First and last wrong coordinate per axis (of a sample that holds the first and last element)."""
    if not differences.count:
        return []
    return [[int(c.min()), int(c.max())] for c in _coordinates(differences)]


def patterns(differences: Differences) -> list[dict[str, Any]]:
    """The most telling place, or nothing when wrong elements lie all over."""
    if differences.count == differences.total:
        return []
    coordinates = _coordinates(differences)
    for found in (
        _single(differences),
        _tail(differences, coordinates),
        _end(differences),
        _slice(differences, coordinates),
        _every(differences, coordinates),
        _borders(differences, coordinates),
        _range(differences, coordinates),
    ):
        if found:
            return [found]
    return []


def _coordinates(differences: Differences) -> tuple[Indices, ...]:
    where = differences.where
    ends = np.array([where[0], where[-1]])
    return differences.coordinates(np.concatenate([differences.sample, ends]))


def _by_design(differences: Differences, fraction: float, coverage: float = 0.2) -> bool:
    """True when landing in this part of the output is no accident, and most of the part is wrong."""
    if not 0 < fraction < 1:
        return False
    unlikely = differences.count * math.log(fraction) < math.log(_CHANCE)
    return unlikely and differences.count >= coverage * fraction * differences.total


def _single(differences: Differences) -> dict[str, Any] | None:
    if differences.count > 1 or differences.where[0] == differences.total - 1:
        return None
    return {"kind": "single", "index": [int(c[0]) for c in differences.coordinates(differences.where)]}


def _tail(differences: Differences, coordinates: tuple[Indices, ...]) -> dict[str, Any] | None:
    """The last columns of every row: what a vector loop leaves over."""
    row = differences.shape[-1]
    start = int(coordinates[-1].min())
    length = row - start
    several_rows = differences.where[0] // row != differences.where[-1] // row
    if not several_rows or not 0 < length <= row / 2 or not _by_design(differences, length / row):
        return None
    step = next((k for k in _VECTOR_STEPS if start % k == 0 and row % k == length), 0)
    return {"kind": "tail", "start": start, "length": length, "row": row, "step": step}


def _end(differences: Differences) -> dict[str, Any] | None:
    """The last stretch of the flat output: a last block, tile or thread that did not finish."""
    start, length = int(differences.where[0]), differences.total - int(differences.where[0])
    reaches_end = differences.total - differences.where[-1] <= 0.1 * length + 1
    if (
        start < differences.total / 2
        or not reaches_end
        or not _by_design(differences, length / differences.total)
    ):
        return None
    return {"kind": "end", "start": start, "length": length}


def _slice(differences: Differences, coordinates: tuple[Indices, ...]) -> dict[str, Any] | None:
    """One channel, row or column: a single coordinate along some axis."""
    for axis, values in enumerate(coordinates):
        size = differences.shape[axis]
        if values.min() == values.max() and size > 1 and _by_design(differences, 1 / size, 0.05):
            return {"kind": "slice", "axis": axis, "index": int(values[0]), "size": size}
    return None


def _every(differences: Differences, coordinates: tuple[Indices, ...]) -> dict[str, Any] | None:
    """Every k-th element along an axis, or of the flat output."""
    flat = np.append(differences.sample, differences.where[-1])
    for axis, values, size in [
        *((axis, c, differences.shape[axis]) for axis, c in reversed(list(enumerate(coordinates)))),
        (None, flat, differences.total),
    ]:
        step = int(np.gcd.reduce(values - values[0]))
        if 2 <= step <= size // 2 and _by_design(differences, 1 / step):
            return {"kind": "every", "step": step, "offset": int(values[0]) % step, "axis": axis}
    return None


def _borders(differences: Differences, coordinates: tuple[Indices, ...]) -> dict[str, Any] | None:
    """First and last coordinates of the last axis, or the last two: padding of convolutions and pools."""
    if len(differences.shape) < 3:
        return None
    size, last = differences.shape[-1], len(differences.shape) - 1
    if size >= 3 and ((coordinates[-1] == 0) | (coordinates[-1] == size - 1)).all():
        return {"kind": "borders", "axes": [last]} if _by_design(differences, 2 / size, 0.3) else None
    height, width = differences.shape[-2:]
    if min(height, width) < 3:
        return None
    row, column = coordinates[-2], coordinates[-1]
    on_border = (row == 0) | (row == height - 1) | (column == 0) | (column == width - 1)
    inside = (height - 2) * (width - 2) / (height * width)
    if not on_border.all() or not _by_design(differences, 1 - inside, 0.05):
        return None
    return {"kind": "borders", "axes": [len(differences.shape) - 2, len(differences.shape) - 1]}


def _range(differences: Differences, coordinates: tuple[Indices, ...]) -> dict[str, Any] | None:
    """A contiguous part of one axis, such as the last rows or the second half of the channels."""
    best: dict[str, Any] | None = None
    best_fraction = 0.75
    for axis, values in enumerate(coordinates):
        start, stop, size = int(values.min()), int(values.max()) + 1, differences.shape[axis]
        fraction = (stop - start) / size
        if fraction < best_fraction and _by_design(differences, fraction):
            best, best_fraction = {"kind": "range", "axis": axis, "start": start, "stop": stop}, fraction
            best["size"] = size
    return best
