"""Right values in wrong places: shifted along an axis, or two axes swapped."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from kernelopt.evaluator.compare.mismatch_scan import Differences, Indices, thinned

_MOST = 0.98
"""Share of the looked-at elements that has to be found in its other place."""
_SAMPLE = 1 << 12
"""How many elements are enough to tell."""
_MAX_AXES = 6
"""Swaps are tried on tensors of up to so many axes."""


def shifted(differences: Differences, where: Indices) -> Iterator[dict[str, Any]]:
    """The value of a neighbour along some axis stands in each wrong place.

    Yields ``{"kind": "shifted", "axis", "by"}``: ``by`` 1 means ``actual[i] == expected[i - 1]``.
    """
    where = thinned(where, _SAMPLE)
    coordinates = differences.coordinates(where)
    actual, _ = differences.values(where)
    for axis, by in itertools.product(range(len(differences.shape)), (1, -1)):
        stride = math.prod(differences.shape[axis + 1 :])
        target = coordinates[axis] - by
        inside = (target >= 0) & (target < differences.shape[axis])
        if np.mean(inside) < 0.5:
            continue
        _, neighbour = differences.values(where[inside] - by * stride)
        if _agree(differences, actual[inside], neighbour):
            yield {"kind": "shifted", "axis": axis, "by": by}


def transposed(differences: Differences, where: Indices) -> Iterator[dict[str, Any]]:
    """Two axes are swapped in memory, whether or not their sizes agree.

    Yields ``{"kind": "transposed", "axes": [left, right]}``.
    """
    shape = differences.shape
    if len(shape) > _MAX_AXES:
        return
    where = thinned(where, _SAMPLE)
    coordinates = differences.coordinates(where)
    _, expected = differences.values(where)
    for left, right in itertools.combinations(range(len(shape)), 2):
        if min(shape[left], shape[right]) < 2:
            continue
        order = list(range(len(shape)))
        order[left], order[right] = right, left
        moved = np.ravel_multi_index([coordinates[i] for i in order], [shape[i] for i in order])
        actual, _ = differences.values(np.asarray(moved, dtype=np.int64))
        if _agree(differences, actual, expected):
            yield {"kind": "transposed", "axes": [left, right]}


def _agree(differences: Differences, actual: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> bool:
    return bool(np.mean(differences.close(actual, expected)) >= _MOST)
