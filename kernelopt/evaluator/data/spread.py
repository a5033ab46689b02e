"""Work on long tensors, cut into pieces for several threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

T = TypeVar("T")
Raw = npt.NDArray[np.uint8]

MOST = 4
"""Threads. Pieces are read and written once, so that more would wait for memory."""
PIECE = 1 << 17
"""Elements in a piece: what is made of them on the way fits in a second-level cache."""


def spread(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """What each of `jobs` returns, in order. They must not hold the interpreter's lock for long.

    Threads take one piece after the other, this one too. So where the machine is busy and another thread
    is kept waiting, it holds up one piece; torch's own threads get equal shares, and all wait for the last.
    """
    results: list[T | None] = [None] * len(jobs)
    left = deque(enumerate(jobs))

    def work() -> None:
        while True:
            try:
                index, job = left.popleft()
            except IndexError:
                return
            results[index] = job()

    helping = [_pool(os.getpid()).submit(work) for _ in range(min(threads(), len(jobs)) - 1)]
    work()
    for helper in helping:
        helper.result()
    return results  # type: ignore[return-value]


def copy(target: Raw, source: Raw) -> None:
    """Copy bytes, as many as `target` has."""
    spread([partial(copy_part, target, source, here) for here in pieces(len(target), 8 * PIECE)])


def copy_part(target: Raw, source: Raw, here: slice) -> None:
    """Copy the bytes of one piece."""
    target[here] = source[here]


def pieces(size: int, length: int = PIECE) -> list[slice]:
    """An axis in pieces of some `length`."""
    return [slice(start, min(start + length, size)) for start in range(0, size, length)]


def threads() -> int:
    """How many work on pieces."""
    return min(MOST, len(os.sched_getaffinity(0)))


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Of this process: threads do not survive a fork. Each works alone, without threads of torch's."""
    return ThreadPoolExecutor(MOST, "spread", torch.set_num_threads, (1,))
