"""What an input is by nature, which no change may spoil: a mask, a triangle, an order, a permutation."""

from __future__ import annotations

from collections.abc import Sequence

import torch

FEW = 8
"""A tensor of at most so many distinct values is a mask, a flag or a label."""
GLANCE = 4096
"""Elements looked at to find that out."""


def is_special(x: torch.Tensor, moves: bool) -> bool:
    """Whether `x` has a structure that the change would spoil."""
    return _is_few(x) or (moves and (is_symmetric(x) or is_sorted(x)))


def _is_few(x: torch.Tensor) -> bool:
    """Whether it has few distinct values; of features that are rarely other than zero, few beside it."""
    flat = x.reshape(-1)
    seen = _glance(flat)
    if len(torch.unique(seen)) > min(FEW, len(seen) - 1):
        return False
    return len(torch.unique(_glance(flat[flat != 0]))) <= FEW


def _glance(flat: torch.Tensor) -> torch.Tensor:
    return flat[:: max(1, len(flat) // GLANCE)]


def is_symmetric(x: torch.Tensor) -> bool:
    """Whether all of its matrices are; the first row tells it of most that are not."""
    if x.dim() < 2 or not x.shape[-1] == x.shape[-2] > 1:
        return False
    return torch.equal(x[..., 0, :], x[..., :, 0]) and torch.equal(x, x.mT)


def is_hermitian(x: torch.Tensor) -> bool:
    """Whether all of its complex matrices equal their conjugate transposes."""
    if x.dim() < 2 or not x.shape[-1] == x.shape[-2] > 1:
        return False
    return torch.equal(x[..., 0, :], x[..., :, 0].conj()) and torch.equal(x, x.mH)


def is_sorted(x: torch.Tensor) -> bool:
    """Whether it is a vector in ascending or in descending order."""
    if x.dim() != 1 or len(x) < 3 or x.is_complex():
        return False
    # Unsigned numbers are never negative, and types of one byte have no differences.
    short = x.is_floating_point() and x.element_size() == 1
    steps = (x.float() if short else x if x.is_floating_point() else x.long()).diff()
    return bool((steps >= 0).all()) or bool((steps <= 0).all())


def is_one_hot(x: torch.Tensor) -> bool:
    """One true element in each row: a label in another form."""
    return bool((x.sum(-1) == 1).all())


def is_ordered(x: torch.Tensor) -> bool:
    """Sorted, or without repeats (a permutation): offsets and orders, which must stay valid."""
    flat = x.reshape(-1)[:GLANCE]
    return is_sorted(flat) or len(torch.unique(flat)) == len(flat)


def is_permutation(tensors: Sequence[torch.Tensor]) -> bool:
    """Whether vectors of integers all hold the same ones, none of them twice."""
    first = tensors[0]
    if first.dim() != 1 or first.is_floating_point() or first.is_complex() or len(first) < 3:
        return False
    values = first.sort().values
    if not bool((values[1:] != values[:-1]).all()):
        return False
    return all(torch.equal(values, other.sort().values) for other in tensors[1:])


def is_loose(x: torch.Tensor) -> bool:
    """Whether elements may come from one set or another, each on its own, as tokens of a text may.

    Not where an order, a permutation, a choice (one-hot rows) or a symmetry would be lost.
    """
    if x.dim() == 0 or x.numel() < 2 or x.layout != torch.strided or is_symmetric(x):
        return False
    if x.is_complex() or (not x.is_floating_point() and is_ordered(x)):
        return x.is_complex()
    rows = x.reshape(-1, x.shape[-1])
    rows = rows[: max(2, 64 * GLANCE // rows.shape[1])].to(torch.float64)
    if rows.shape[1] == 1:
        return not is_sorted(rows.flatten())
    steps = rows.diff(dim=1)
    if bool((steps >= 0).all()) or bool((steps <= 0).all()):
        return False
    alike = rows.sort(dim=1).values
    return len(rows) == 1 or not torch.equal(alike, alike[:1].expand_as(alike))
