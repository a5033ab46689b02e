"""The one pass over all elements: which are wrong, by how much, and samples for a closer look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Indices = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

BLOCK = 1 << 15
"""Elements a block: its fp64 scratch stays in the cache, which is ten times faster than memory."""
SAMPLE = 1 << 14
"""How many elements the patterns look at; more would not change what they find."""


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Where and how much two flat tensors of one shape differ."""

    shape: tuple[int, ...]
    """Shape of both; ``(1,)`` stands for a scalar."""
    actual: torch.Tensor
    """The candidate's output, flat, in its own dtype."""
    expected: torch.Tensor
    """The reference, flat, float64."""
    atol: float
    rtol: float
    wrong: npt.NDArray[np.bool_]
    """Per element: outside the tolerance, or not finite where the reference is."""
    where: Indices
    """Flat indices of the wrong elements, ascending."""
    sample: Indices
    """Up to `SAMPLE` of `where`, ascending, drawn evenly and the same every time."""
    max_abs: float
    """Largest |actual - expected|; infinite when a value is not finite and should be."""
    max_rel: float
    """Largest |actual - expected| / |expected| where |expected| > atol."""

    @property
    def count(self) -> int:
        """Number of wrong elements."""
        return len(self.where)

    @property
    def total(self) -> int:
        """Number of elements."""
        return len(self.wrong)

    def values(self, flat: Indices) -> tuple[Values, Values]:
        """Actual and expected at flat indices, both as float64."""
        return take(self.actual, flat), take(self.expected, flat)

    def coordinates(self, flat: Indices) -> tuple[Indices, ...]:
        """Flat indices as one array of coordinates an axis."""
        return tuple(np.asarray(c, dtype=np.int64) for c in np.unravel_index(flat, self.shape))

    def sample_right(self) -> Indices:
        """Up to about `SAMPLE` elements that are right, ascending, the same every time."""
        if self.total <= 4 * SAMPLE:
            return thinned(np.flatnonzero(~self.wrong), SAMPLE)
        drawn = np.random.default_rng(1).integers(0, self.total, 2 * SAMPLE)
        return np.asarray(np.unique(drawn[~self.wrong[drawn]]), dtype=np.int64)

    def close(self, actual: Values, expected: Values, scale: float | Values = 1.0) -> npt.NDArray[np.bool_]:
        """Which values agree, with some slack for rounding on top of the tolerance.

        `scale` shrinks the absolute part for values that were themselves scaled.
        """
        limit = 2 * (self.atol * np.abs(scale) + self.rtol * np.abs(expected))
        return np.asarray(np.abs(actual - expected) <= limit, dtype=np.bool_)


def take(values: torch.Tensor, flat: Indices) -> Values:
    """Elements of a flat tensor as float64."""
    taken: Values = values[torch.from_numpy(np.ascontiguousarray(flat))].to(torch.float64).numpy()
    return taken


def thinned(indices: Indices, limit: int) -> Indices:
    """At most `limit` of `indices`; random rather than strided, so that no period is hidden."""
    if len(indices) <= limit:
        return indices
    drawn = np.random.default_rng(0).integers(0, len(indices), limit)
    return np.asarray(np.unique(indices[drawn]), dtype=np.int64)


def flat(tensor: torch.Tensor) -> torch.Tensor:
    """Any real tensor as a flat, contiguous one on the CPU that has no history."""
    tensor = tensor.detach()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    return tensor.cpu().contiguous().reshape(-1)


def scan(actual: torch.Tensor, expected: torch.Tensor, *, atol: float, rtol: float) -> Differences:
    """Compare two real tensors of one shape, block by block, on the calling thread alone."""
    shape = tuple(expected.shape) or (1,)
    left, right = flat(actual), flat(expected).to(torch.float64)
    reference = right.numpy()
    wrong = np.empty(left.numel(), dtype=np.bool_)
    scratch = np.empty((3, BLOCK))
    max_abs = max_rel = 0.0
    with np.errstate(all="ignore"):
        for start in range(0, left.numel(), BLOCK):
            part = slice(start, start + BLOCK)
            values = left[part].to(torch.float64).numpy()
            spare = scratch[:, : len(values)]
            block_abs, block_rel = _scan_block(values, reference[part], wrong[part], spare, atol, rtol)
            max_abs, max_rel = max(max_abs, block_abs), max(max_rel, block_rel)
    where = np.flatnonzero(wrong)
    return Differences(shape, left, right, atol, rtol, wrong, where, thinned(where, SAMPLE), max_abs, max_rel)


def _scan_block(
    actual: Values,
    expected: Values,
    wrong: npt.NDArray[np.bool_],
    scratch: Values,
    atol: float,
    rtol: float,
) -> tuple[float, float]:
    """Fill `wrong`; largest absolute and relative error. `scratch` holds three rows, all overwritten."""
    distance, size, limit = scratch
    np.abs(np.subtract(actual, expected, out=distance), out=distance)
    np.abs(expected, out=size)
    max_abs = float(distance.max())
    if not np.isfinite(max_abs):
        _settle(actual, expected, distance)
        max_abs = float(distance.max())
    np.add(np.multiply(size, rtol, out=limit), atol, out=limit)
    np.greater(distance, limit, out=wrong)
    # An infinite reference has an infinite tolerance, which would let everything pass.
    if max_abs == np.inf:
        wrong |= distance == np.inf
    np.multiply(distance, size > atol, out=distance)
    np.divide(distance, np.maximum(size, 1e-300, out=limit), out=distance)
    return max_abs, float(np.nan_to_num(distance.max(), nan=np.inf))


def _settle(actual: Values, expected: Values, distance: Values) -> None:
    """Where a value is not finite: no distance if both are the same, else an infinite one."""
    same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    odd = ~(np.isfinite(actual) & np.isfinite(expected))
    distance[odd] = np.where(same[odd], 0.0, np.inf)
