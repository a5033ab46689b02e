"""Timed sets of symmetric matrices: as unseen as others, and as symmetric as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from kernelopt.evaluator.data.pool import WORDS, Part
from kernelopt.evaluator.data.spread import PIECE, Raw, pieces
from kernelopt.evaluator.data.tables import coins, factors_of


def mirroring(out: Raw, one: Part, other: Part, start: int, *, scaled: bool) -> Iterator[Callable[[], None]]:
    """Write matrices whose elements come from the one or the other set, times a factor if `scaled`.

    Coin and factor of an element depend on the sum of its row's and its column's number, which its
    mirror image shares.

    Args:
        out: bytes of the tensor that is written.
        one: a tensor of symmetric matrices.
        other: the same tensor of another set.
        start: where in the tables the first element's coin and factor are.
        scaled: only where the elements are real numbers.
    """
    side = one.side
    into, first, second = (_matrices(each, one) for each in (out, one.raw, other.raw))
    for number in range(len(into)):
        at = start + number * (2 * side - 1)
        coin = _windows(coins(), at, side)
        factor = None
        if scaled and one.numbers is not None:
            factor = _windows(factors_of(one.numbers.dtype), at, side)
        for rows in pieces(side, max(1, PIECE // side)):
            both = first[number, rows], second[number, rows]
            yield partial(
                _mirror, into[number, rows], *both, coin[rows], None if factor is None else factor[rows]
            )


def _matrices(tensor: Raw, like: Part) -> npt.NDArray[Any]:
    kind = WORDS[like.itemsize] if like.numbers is None else like.numbers.dtype
    return tensor.view(kind).reshape(-1, like.side, like.side)


def _windows(table: npt.NDArray[Any], at: int, side: int) -> npt.NDArray[Any]:
    """A matrix that holds the table's element at `at` + i + j in row i and column j; the table is a ring."""
    some = table.take(np.arange(at, at + 2 * side - 1), mode="wrap")
    return np.lib.stride_tricks.sliding_window_view(some, side)


def _mirror(
    out: npt.NDArray[Any],
    one: npt.NDArray[Any],
    other: npt.NDArray[Any],
    coin: npt.NDArray[np.bool_],
    factor: npt.NDArray[Any] | None,
) -> None:
    np.copyto(out, one)
    np.copyto(out, other, where=coin)
    if factor is not None:
        np.multiply(out, factor, out=out)
