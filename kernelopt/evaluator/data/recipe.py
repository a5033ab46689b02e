"""Input sets made of others, spliced and scaled so that no part of one was seen before."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from kernelopt.evaluator.data.arena import leaves, raw
from kernelopt.evaluator.data.mirror import mirroring
from kernelopt.evaluator.data.pool import WORDS, Numbers, Part, Pool, Words
from kernelopt.evaluator.data.spread import PIECE, Raw, copy_part, pieces, spread
from kernelopt.evaluator.data.tables import SCALES, coins, factors_of


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a new input set is made out of two of a pool: `first` with a cyclic stretch of `second`.

    Elements keep their position, so masks, labels and triangular structure stay valid, but the
    content has never been seen: two sets of n elements give about n² others for the price of a copy.
    Rows of it have been seen, though, and a kernel may remember rows. So elements of tensors of real
    numbers are scaled as well, each by a secret factor of 0.9 to 1. Integers, flags and half types stay
    what they are: each element is that of one set or of the other, as a secret coin says.

    What an input is by nature stays: symmetric matrices are symmetric, a sorted vector or a permutation
    comes from one set as a whole (times one factor), and so does a row that marks a choice.
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
            if a.side:
                start = int(self.start * SCALES) if self.scale is None else self.scale
                yield from mirroring(target, a, b, start, scaled=self.scale is not None)
            elif self.scale is not None and a.numbers is not None:
                yield from self._scaling(target, a.numbers, b.raw, self.scale, a.grain)
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
        for first, low, high in self._pieces(len(out) // size, a.grain):
            yield partial(copy_part, out, a.raw if first else b, slice(low * size, high * size))

    def _scaling(self, out: Raw, a: Numbers, b: Raw, start: int, grain: int) -> Iterator[Callable[[], None]]:
        """The same, each element times a factor: from `start` on in the table, over and over.

        Elements that stay together are multiplied by one factor.
        """
        kind, factors = a.dtype, factors_of(a.dtype)
        into, other = out.view(kind), b.view(kind)
        for first, low, high in self._pieces(len(a), grain):
            source, here = a if first else other, slice(low, high)
            if grain > 1:
                yield partial(np.multiply, source[here], factors[start], into[here])
            else:
                yield partial(_scale, into, source, factors, low, high, start)

    def _mixing(self, out: Raw, a: Part, b: Raw, start: int) -> Iterator[Callable[[], None]]:
        """Each element of the one or of the other, as coins say."""
        word, second = WORDS[a.itemsize], coins()
        into: Words = out.view(word)
        sources: tuple[Words, Words] = a.raw.view(word), b.view(word)
        for here in pieces(len(into)):
            yield partial(_mix, into, sources, second, here.start, here.stop, start)

    def stretches(self, size: int, grain: int = 1) -> list[tuple[bool, int, int]]:
        """Stretches of a tensor of `size` elements: whether of the first set, from where to where.

        They begin and end at multiples of `grain`.
        """
        count = size // grain
        start, stop = (int(end * count) * grain for end in (self.start, self.start + self.length))
        wrapped = max(stop - size, 0)
        stop = min(stop, size)
        return [(False, 0, wrapped), (True, wrapped, start), (False, start, stop), (True, stop, size)]

    def _pieces(self, size: int, grain: int) -> Iterator[tuple[bool, int, int]]:
        """The same, no stretch longer than a piece."""
        for first, low, high in self.stretches(size, grain):
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
