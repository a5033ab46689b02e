"""When elements are wrong: large values only, one sign only, only where the reference is zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from kernelopt.evaluator.compare.mismatch_scan import Differences, Indices, Values, flat, take

_FEW = 8
"""Fewer wrong or right elements than this prove nothing."""
_ROW_ELEMENTS = 1 << 18
"""How many input elements may be read to compare whole rows."""


def patterns(differences: Differences, inputs: Sequence[Any]) -> list[dict[str, Any]]:
    """What the wrong elements have in common that the right ones have not."""
    wrong, right = differences.sample, differences.sample_right()
    nearly_all = differences.count > 0.95 * differences.total
    if len(wrong) < _FEW or len(right) < _FEW or nearly_all:
        return []
    for name, bad, good in _views(differences, inputs, wrong, right):
        found = _zero(name, bad, good) or _sign(name, bad, good) or _large(name, bad, good)
        if found:
            return [found]
    return []


def _views(
    differences: Differences, inputs: Sequence[Any], wrong: Indices, right: Indices
) -> Iterator[tuple[str, Values, Values]]:
    """Pairs of values to tell apart: inputs of the output's shape, the reference, inputs by row."""
    tensors = [(i, x) for i, x in enumerate(inputs) if _usable(x)]
    for i, x in tensors:
        if x.numel() == differences.total and tuple(x.shape) == differences.shape:
            values = flat(x)
            yield f"input {i}", take(values, wrong), take(values, right)
    yield "expected", differences.values(wrong)[1], differences.values(right)[1]
    for i, x in tensors:
        yield from _rows(differences, i, x, wrong, right)


def _usable(x: Any) -> bool:
    plain = isinstance(x, torch.Tensor) and x.layout is torch.strided and x.device.type != "meta"
    return plain and x.is_floating_point() and x.numel() > 0


def _rows(
    differences: Differences, number: int, x: torch.Tensor, wrong: Indices, right: Indices
) -> Iterator[tuple[str, Values, Values]]:
    """Largest |input| of wrong rows against that of right rows, for row-wise operators."""
    if x.dim() < 2 or x.numel() // x.shape[-1] * differences.shape[-1] != differences.total:
        return
    limit = max(_ROW_ELEMENTS // (2 * x.shape[-1]), 1)
    bad = np.unique(wrong // differences.shape[-1])
    good = np.setdiff1d(right // differences.shape[-1], bad)[:limit]
    if len(bad) < 2 or len(good) < 2:
        return
    matrix = flat(x).reshape(-1, x.shape[-1])
    worst, rest = (
        matrix[torch.from_numpy(rows)].abs().amax(dim=1).to(torch.float64).numpy()
        for rows in (bad[:limit], good)
    )
    yield f"input {number}, by row", worst, rest


def _zero(name: str, bad: Values, good: Values) -> dict[str, Any] | None:
    if name == "expected" and np.mean(bad == 0) > 0.99 and np.mean(good == 0) < 0.9:
        return {"kind": "zero_expected"}
    return None


def _sign(name: str, bad: Values, good: Values) -> dict[str, Any] | None:
    for sign, word in ((-1, "negative"), (1, "positive")):
        if np.mean(sign * bad > 0) > 0.99 and np.mean(sign * good > 0) < 0.02:
            return {"kind": "one_sign", "sign": word, "of": name}
    return None


def _large(name: str, bad: Values, good: Values) -> dict[str, Any] | None:
    threshold = float(np.quantile(np.abs(bad), 0.02))
    if not np.isfinite(threshold) or np.mean(np.abs(good) >= threshold) > 0.02:
        return None
    return {"kind": "large_only", "of": name, "threshold": threshold}
