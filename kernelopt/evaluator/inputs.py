"""Input sets as a worker gets them: dense, spliced and scaled so that no part of one was seen before."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from kernelopt.evaluator.arena import is_dense, leaves, raw
from kernelopt.evaluator.spread import PIECE, Raw, copy_part, pieces, spread
from kernelopt.evaluator.structure import is_loose

Numbers = npt.NDArray[np.floating]
Words = npt.NDArray[Any]
SCALES = (1 << 18) + 3
"""How many factors there are to scale by. Odd, so that rows of a usual length all begin elsewhere."""
LEAST_SCALE = 0.9
_scales: dict[np.dtype[Any], Numbers] = {}
_sides: list[npt.NDArray[np.bool_]] = []
_WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}


def double(args: Sequence[Any]) -> list[Any]:
    """A copy of `args` with floating-point tensors in fp64, nested ones too."""
    return [_doubled(arg) for arg in args]


class Part(NamedTuple):
    """One tensor of a pool's set, as NumPy sees it."""

    raw: Raw
    itemsize: int
    numbers: Numbers | None
    """The elements of a tensor of real numbers; None for any other."""
    loose: bool = False
    """Whether another tensor's elements are mixed: see `Recipe`."""


class Pool:
    """Input sets that others are made of, with all that does not change from one to the next.

    What a tensor holds is looked at once: thousands of sets are made for one kernel.
    """

    def __init__(self, sets: Sequence[list[Any]], *, mixed: bool = True):
        """`mixed`: whether elements of integers, flags and half types may be mixed."""
        self.sets = list(sets)
        self.parts = [[_part(leaf, mixed=mixed) for leaf in leaves(args)] for args in self.sets]

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def mixed(self) -> bool:
        """Whether elements of some tensor are mixed."""
        return any(part.loose for parts in self.parts for part in parts)

    def __getitem__(self, index: int) -> list[Any]:
        return self.sets[index]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a new input set is made out of two of a pool: `first` with a cyclic stretch of `second`.

    Elements keep their position, so masks, labels and triangular structure stay valid, but the
    content has never been seen: two sets of n elements give about n² others for the price of a copy.
    Rows of it have been seen, though, and a kernel may remember rows. So elements of tensors of real
    numbers are scaled as well, each by a secret factor of 0.9 to 1. Integers, flags and half types stay
    what they are: each element is that of one set or of the other, as a secret coin says. (Not where that
    would spoil an order, say: see `structure.is_loose`.)
    """

    first: int
    second: int
    start: float
    """Where the stretch begins, as a fraction of each tensor."""
    length: float
    """How long it is, as a fraction of each tensor (0.25 to 0.75)."""
    scale: int | None = None
    """Where in the tables of factors and coins the first element's is; None leaves elements as they are."""

    @classmethod
    def random(cls, pool: int, chance: random.Random, *, scaled: bool = False) -> Recipe:
        """A fresh recipe for a pool of `pool` sets."""
        first, second = chance.sample(range(pool), 2)
        scale = chance.randrange(SCALES) if scaled else None
        return cls(first, second, chance.random(), chance.uniform(0.25, 0.75), scale)

    def pour(self, targets: Sequence[Raw], pool: Pool) -> None:
        """Write the set's tensors into `targets`: bytes of tensors of the same shapes and strides."""
        spread(list(self.pouring(targets, pool)))

    def pouring(self, targets: Sequence[Raw], pool: Pool) -> Iterator[Callable[[], None]]:
        """The same, to be done piece by piece in any order."""
        for target, a, b in zip(targets, pool.parts[self.first], pool.parts[self.second], strict=True):
            if self.scale is not None and a.numbers is not None:
                yield from self._scaling(target, a.numbers, b.raw, self.scale)
            elif self.scale is not None and a.loose:
                yield from self._mixing(target, a, b.raw, self.scale)
            else:
                yield from self._splicing(target, a, b.raw)

    def args(self, pool: Pool) -> list[Any]:
        """The set as call arguments of their own, for an audit."""
        made = copy.deepcopy(pool[self.first])
        self.pour([raw(leaf) for leaf in leaves(made)], pool)
        return made

    def _splicing(self, out: Raw, a: Part, b: Raw) -> Iterator[Callable[[], None]]:
        size = a.itemsize
        for first, low, high in self._pieces(len(out) // size):
            yield partial(copy_part, out, a.raw if first else b, slice(low * size, high * size))

    def _scaling(self, out: Raw, a: Numbers, b: Raw, start: int) -> Iterator[Callable[[], None]]:
        """The same, each element times a factor: from `start` on in the table, over and over."""
        kind, factors = a.dtype, factors_of(a.dtype)
        into, other = out.view(kind), b.view(kind)
        for first, low, high in self._pieces(len(a)):
            yield partial(_scale, into, a if first else other, factors, low, high, start)

    def _mixing(self, out: Raw, a: Part, b: Raw, start: int) -> Iterator[Callable[[], None]]:
        """Each element of the one or of the other, as coins say."""
        word, second = _WORDS[a.itemsize], coins()
        into: Words = out.view(word)
        sources: tuple[Words, Words] = a.raw.view(word), b.view(word)
        for here in pieces(len(into)):
            yield partial(_mix, into, sources, second, here.start, here.stop, start)

    def stretches(self, size: int) -> list[tuple[bool, int, int]]:
        """Stretches of a tensor of `size` elements: whether of the first set, from where to where."""
        start, stop = int(self.start * size), int((self.start + self.length) * size)
        wrapped = max(stop - size, 0)
        stop = min(stop, size)
        return [(False, 0, wrapped), (True, wrapped, start), (False, start, stop), (True, stop, size)]

    def _pieces(self, size: int) -> Iterator[tuple[bool, int, int]]:
        """The same, no stretch longer than a piece."""
        for first, low, high in self.stretches(size):
            for start in range(low, high, PIECE):
                yield first, start, min(start + PIECE, high)


def _scale(out: Numbers, source: Numbers, factors: Numbers, low: int, high: int, start: int) -> None:
    while low < high:  # once or twice: the table is longer than a piece
        place = (start + low) % SCALES
        end = min(high, low + SCALES - place)
        np.multiply(source[low:end], factors[place : place + end - low], out=out[low:end])
        low = end


def _mix(
    out: Words, sources: tuple[Words, Words], second: npt.NDArray[np.bool_], low: int, high: int, start: int
) -> None:
    np.copyto(out[low:high], sources[0][low:high])
    while low < high:
        place = (start + low) % SCALES
        end = min(high, low + SCALES - place)
        np.copyto(out[low:end], sources[1][low:end], where=second[place : place + end - low])
        low = end


def _part(tensor: torch.Tensor, *, mixed: bool) -> Part:
    kind = str(tensor.dtype).removeprefix("torch.")
    found, size = raw(tensor), tensor.element_size()
    if is_real(tensor):
        return Part(found, size, found.view(kind))
    return Part(found, size, None, mixed and size in _WORDS and is_loose(tensor))


def is_real(tensor: torch.Tensor) -> bool:
    """Whether a tensor holds real numbers, not labels, masks or counts that happen to be of a float type."""
    if tensor.dtype not in (torch.float32, torch.float64) or tensor.numel() < 2:
        return False
    some = tensor.detach().flatten()[:4096]
    return bool((some != some.round()).double().mean() > 0.5)


def factors_of(dtype: np.dtype[Any]) -> Numbers:
    """The secret table of this process."""
    if dtype not in _scales:
        chance = np.random.default_rng(list(os.urandom(16)))
        _scales[dtype] = chance.uniform(LEAST_SCALE, 1.0, SCALES).astype(dtype)
    return _scales[dtype]


def coins() -> npt.NDArray[np.bool_]:
    """The secret table of this process: which of two sets an element is taken from."""
    if not _sides:
        chance = np.random.default_rng(list(os.urandom(16)))
        _sides.append(chance.random(SCALES) < 0.5)
    return _sides[0]


def dense(args: Sequence[Any]) -> list[Any]:
    """`args` with every tensor's elements back to back in memory, strides kept where they permit it."""
    return [_dense(arg) for arg in args]


def _dense(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(dense(arg))
    return arg.contiguous() if isinstance(arg, torch.Tensor) and not is_dense(arg) else arg


def _doubled(arg: Any) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(double(arg))
    if isinstance(arg, torch.Tensor):
        return arg.to(torch.float64, copy=True) if arg.is_floating_point() else arg.clone()
    return copy.deepcopy(arg)
