"""What a worker says of its outputs, read with suspicion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kernelopt.evaluator.expected.sample import overlaps

MOST_SPREAD = 16
"""A tensor may span so many times the bytes of its elements (a column of a matrix does)."""

MOST_TOLD, LONGEST = 16, 200
"""Numbers of a list, and letters, that a verdict quotes of a claim."""
_UNSIGNED = torch.uint8, torch.uint16, torch.uint32, torch.uint64
_INTEGERS = {torch.bool, torch.int8, torch.int16, torch.int32, torch.int64, *_UNSIGNED}


@dataclass(frozen=True, slots=True)
class Layout:
    """How the elements of an output lie in the worker's memory."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    """In elements; none is negative."""

    @property
    def numel(self) -> int:
        """How many elements there are."""
        return math.prod(self.shape)

    @property
    def extent(self) -> int:
        """Bytes from the first element to behind the last."""
        if not self.numel:
            return 0
        last = sum((n - 1) * step for n, step in zip(self.shape, self.stride, strict=True))
        return (last + 1) * self.dtype.itemsize

    @property
    def overlaps(self) -> bool:
        """Whether elements share memory."""
        return bool(self.numel) and overlaps(self.shape, self.stride)

    @property
    def dense(self) -> bool:
        """Whether the elements fill their extent."""
        return self.extent == self.numel * self.dtype.itemsize

    def tensor(self, raw: bytes) -> torch.Tensor:
        """The tensor whose memory is `raw` (`extent` bytes)."""
        if not self.numel:
            return torch.empty(self.shape, dtype=self.dtype)
        # The stride of a dimension of one is never taken, may be any number, and is multiplied by torch.
        stride = [step if n > 1 else 1 for n, step in zip(self.shape, self.stride, strict=True)]
        return torch.frombuffer(bytearray(raw), dtype=self.dtype).as_strided(self.shape, stride)


@dataclass(frozen=True, slots=True)
class Batch:
    """One timed batch. `elapsed_ms` is the judge's; the rest is the worker's word."""

    elapsed_ms: float
    at: Sequence[Sequence[int]]
    """For each call the addresses of its outputs."""
    layouts: Sequence[Layout]
    """Of the outputs of a call."""
    claimed_ms: float
    """What the worker's own clock says of the calls together."""

    @property
    def unclaimed_ms(self) -> float:
        """What the judge's clock has seen, and the worker's own has not."""
        return self.elapsed_ms - self.claimed_ms

    def spans(self, call: int) -> list[tuple[int, int]]:
        """Where the outputs of a call lie: (address, bytes)."""
        return [(at, layout.extent) for at, layout in zip(self.at[call], self.layouts, strict=True)]


def meet(at: int, one: Layout, other_at: int, other: Layout) -> bool:
    """Whether two tensors at these addresses share an element: surely, if so.

    Of interleaved ones (columns of one matrix, say) that begin at different places it is not asked.
    """
    if not one.numel or not other.numel:
        return False
    if at == other_at:
        return True
    apart = at + one.extent <= other_at or other_at + other.extent <= at
    return one.dense and other.dense and not apart


def batch_of(reply: Mapping[str, Any], calls: int, elapsed_ms: float, device: str = "cpu") -> Batch | None:
    """A worker's answer to a timed batch of `calls` calls, or None when it makes no sense.

    `device`: where outputs have to be, as torch names it.
    """
    at, spent_ns = reply.get("at"), reply.get("ns")
    layouts = [layout_of(one, device) for one in _list(reply.get("layouts"))]
    if type(spent_ns) is not int or not _ints([spent_ns]) or len(_list(at)) != calls:
        return None
    found = [layout for layout in layouts if layout]
    if len(found) != len(layouts) or not all(_ints(one) and len(one) == len(found) for one in _list(at)):
        return None
    return Batch(elapsed_ms, _list(at), found, spent_ns / 1e6)


def layout_of(claim: object, device: str = "cpu") -> Layout | None:
    """A claimed layout, or None when no tensor in the memory of `device` can look like that."""
    if not isinstance(claim, dict):
        return None
    dtype, shape, stride = dtype_of(claim.get("dtype")), claim.get("shape"), claim.get("stride")
    if dtype is None or not _ints(shape) or not _ints(stride) or claim.get("device") != device:
        return None
    if len(_list(shape)) != len(_list(stride)) or min([*_list(shape), *_list(stride)], default=0) < 0:
        return None
    layout = Layout(dtype, tuple(_list(shape)), tuple(_list(stride)))
    return layout if layout.extent <= MOST_SPREAD * layout.numel * dtype.itemsize else None


def dtype_of(name: object) -> torch.dtype | None:
    """The dtype that a claim names; None for what is none, or one that is more than a kind of numbers.

    A tensor of a quantized type cannot be made of bytes: torch does not refuse, but crashes.
    """
    found = getattr(torch, name, None) if isinstance(name, str) else None
    if not isinstance(found, torch.dtype):
        return None
    return found if found.is_floating_point or found.is_complex or found in _INTEGERS else None


def told(value: object) -> str:
    """A claimed value as a verdict may quote it: a name, a number, some numbers; of others what they are."""
    short = isinstance(value, list) and len(value) <= MOST_TOLD and all(type(n) is int for n in value)
    plain = value is None or isinstance(value, str | int | float)
    return str(value)[:LONGEST] if short or plain else f"a {type(value).__name__}"


def _ints(value: object) -> bool:
    return isinstance(value, list) and all(type(one) is int and abs(one) < 1 << 62 for one in value)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
