"""Input sets that timed ones are made of, and what is known of their tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from kernelopt.evaluator.data.arena import leaves, raw
from kernelopt.evaluator.data.spread import Raw
from kernelopt.evaluator.data.structure import is_loose, is_permutation, is_sorted, is_symmetric

Numbers = npt.NDArray[np.floating]
Words = npt.NDArray[Any]
WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}
"""Bytes of an element → a type of that size to copy as."""


class Part(NamedTuple):
    """One tensor of a pool's set, as NumPy sees it."""

    raw: Raw
    itemsize: int
    numbers: Numbers | None = None
    """The elements of a tensor of real numbers; None for any other."""
    loose: bool = False
    """Whether another tensor's elements are mixed: see `Recipe`."""
    grain: int = 1
    """How many elements have to come from the same set: rows of a choice, a sorted vector."""
    side: int = 0
    """Of symmetric matrices, which have to stay so; 0 for any other tensor."""


class Pool:
    """Input sets that others are made of, with all that does not change from one to the next.

    What a tensor holds is looked at once: thousands of sets are made for one kernel.
    """

    def __init__(self, sets: Sequence[list[Any]], *, mixed: bool = True):
        """`mixed`: whether elements of integers, flags and half types may be mixed."""
        self.sets = list(sets)
        columns = [_column(tensors, mixed) for tensors in zip(*map(leaves, self.sets), strict=True)]
        self.parts: list[list[Part]] = [list(row) for row in zip(*columns, strict=True)]
        self.parts = self.parts or [[] for _ in self.sets]

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def mixed(self) -> bool:
        """Whether elements of some tensor are mixed."""
        return any(part.loose for parts in self.parts for part in parts)

    @property
    def bound(self) -> bool:
        """Whether elements of some tensor have to stay together."""
        return any(part.grain > 1 or part.side for parts in self.parts for part in parts)

    def __getitem__(self, index: int) -> list[Any]:
        return self.sets[index]


def is_real(tensor: torch.Tensor) -> bool:
    """Whether a tensor holds real numbers, not labels, masks or counts that happen to be of a float type."""
    if tensor.dtype not in (torch.float32, torch.float64) or tensor.numel() < 2:
        return False
    some = tensor.detach().flatten()[:4096]
    return bool((some != some.round()).double().mean() > 0.5)


def _column(tensors: Sequence[torch.Tensor], mixed: bool) -> list[Part]:
    """One tensor of every set. A structure counts where all have it: one alone may have it by chance."""
    parts = [_part(tensor, mixed) for tensor in tensors]
    if not all(tensor.is_contiguous() and tensor.numel() > 1 for tensor in tensors) or _is_fixed(parts):
        return parts
    if all(map(is_symmetric, tensors)):
        return [part._replace(loose=False, side=tensors[0].shape[-1]) for part in parts]
    if grain := _grain(tensors, parts):
        return [part._replace(loose=False, grain=grain) for part in parts]
    return parts


def _is_fixed(parts: Sequence[Part]) -> bool:
    """Whether it is the same in every set and never scaled, so that nothing can be spoiled."""
    first = parts[0]
    return first.numbers is None and all(np.array_equal(first.raw, part.raw) for part in parts[1:])


def _part(tensor: torch.Tensor, mixed: bool) -> Part:
    kind = str(tensor.dtype).removeprefix("torch.")
    found, size = raw(tensor), tensor.element_size()
    if is_real(tensor):
        return Part(found, size, found.view(kind))
    return Part(found, size, None, mixed and size in WORDS and is_loose(tensor))


def _grain(tensors: Sequence[torch.Tensor], parts: Sequence[Part]) -> int:
    """Elements that have to stay together; 0 where each may come from another set."""
    if all(map(is_sorted, tensors)) or is_permutation(tensors):
        return tensors[0].numel()
    choices = all(part.numbers is None for part in parts) and not any(map(is_loose, tensors))
    row = tensors[0].shape[-1] if tensors[0].dim() > 1 else 0
    return row if choices and row < tensors[0].numel() else 0  # a single row would always be one seen before
