"""How wrong elements relate to the reference: the simplest relation that nearly all of them obey."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from kernelopt.evaluator.compare import mismatch_layout, mismatch_linear
from kernelopt.evaluator.compare.mismatch_scan import Differences, Indices, Values, flat, take

_FEW = 4
"""Relations between elements need more of them than this."""


def not_finite_counts(differences: Differences) -> dict[str, int]:
    """How many wrong elements are NaN or infinite."""
    if math.isfinite(differences.max_abs):
        return {"nan": 0, "inf": 0}
    wrong = take(differences.actual, differences.where)
    return {"nan": int(np.isnan(wrong).sum()), "inf": int(np.isinf(wrong).sum())}


def repeatability(differences: Differences, again: torch.Tensor | None) -> list[dict[str, Any]]:
    """Whether a second run on the same input gave something else, beyond the tolerance."""
    if again is None or again.numel() != differences.total:
        return []
    first, second = take(differences.actual, differences.sample), take(flat(again), differences.sample)
    same = differences.close(first, second) | (first == second) | (np.isnan(first) & np.isnan(second))
    changed = float(np.mean(~same))
    return [{"kind": "not_repeatable", "fraction": changed}] if changed else []


def patterns(differences: Differences, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """NaN or Inf, and the relation that the other wrong elements obey.

    Args:
        differences: what was compared.
        sizes: sizes that occur in the inputs, to recognise a factor such as 1/n.
    """
    actual, expected = differences.values(differences.sample)
    finite = np.isfinite(actual) & np.isfinite(expected)
    found: list[dict[str, Any]] = []
    if not np.isfinite(actual).all():
        share = float(np.mean(~np.isfinite(actual)))
        found.append({"kind": "not_finite", "fraction_of_wrong": share})
    if not finite.any() or np.mean(finite) < 0.5:
        return found
    wrong = differences.sample[finite], actual[finite], expected[finite]
    relation = next(_relations(differences, *wrong, sizes), None)
    return [*found, relation] if relation else found


def _relations(
    differences: Differences, where: Indices, actual: Values, expected: Values, sizes: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Relations that hold, from the plainest to the most involved."""
    if not actual.any():
        yield {"kind": "all_zero"}
        return
    yield from _constant(actual, expected)
    yield from _garbage(differences, actual, expected)
    # Before small errors: a running sum that is off by one element is off by little.
    if len(where) > _FEW:
        yield from mismatch_layout.shifted(differences, where)
        yield from mismatch_layout.transposed(differences, where)
    yield from _small(differences, actual, expected)
    yield from mismatch_linear.whole(differences, actual, expected, sizes)
    yield from mismatch_linear.per_index(differences, where, actual, expected)
    yield from mismatch_linear.per_row(differences)


def _constant(actual: Values, expected: Values) -> Iterator[dict[str, Any]]:
    if len(actual) > _FEW and (actual == actual[0]).all() and np.ptp(expected) > 0:
        yield {"kind": "constant", "value": float(actual[0])}


def _garbage(differences: Differences, actual: Values, expected: Values) -> Iterator[dict[str, Any]]:
    """Magnitudes that no computation on these inputs gives: memory that was never written."""
    _, right = differences.values(differences.sample_right())
    scale = float(np.abs(np.concatenate([expected, right[np.isfinite(right)]])).max())
    size = np.abs(actual)
    odd = (size > 0) & (size < 1e-36)
    if scale > 0:
        odd |= size > 1e8 * scale
    if np.mean(odd) > 0.02:
        yield {"kind": "garbage", "fraction_of_wrong": float(np.mean(odd))}


def _small(differences: Differences, actual: Values, expected: Values) -> Iterator[dict[str, Any]]:
    """Errors far below the size of the values, as rounding or an approximation leaves them."""
    scale = math.sqrt(float(np.mean(np.square(expected))))
    error = np.abs(actual - expected)
    if scale == 0 or error.max() > 0.05 * scale or np.median(error) > 0.01 * scale:
        return
    spread_out = differences.count >= 0.05 * differences.total
    kind = "small_errors" if spread_out else "near_tolerance"
    yield {"kind": kind, "relative": float(np.median(error)) / scale}
