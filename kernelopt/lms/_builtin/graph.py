"""What a task computes, as a graph of few kinds of node, and views of their results.

A node makes one contiguous array. A `Value` looks at that array through a shape, strides and an offset
(in elements), so transposes, slices, broadcasts and flips cost nothing and are no nodes.

Kinds of node: `input` (a task input or a parameter), `iota` (element i is i), `map` (one expression for
each element), `reduce` (over `dims`, which stay with size 1), `scan` (running sum over `dim`), `recur`
(a linear recurrence), `contract` (a batched matrix product), `conv`, `pool` and `cat`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Shape: TypeAlias = tuple[int, ...]


class UnknownOperator(Exception):
    """A task uses something that no kernel can be written for; the message names it."""


@dataclass(eq=False, slots=True)
class Node:
    """One array and how it is computed."""

    kind: str
    shape: Shape
    args: tuple[Arg, ...] = ()
    op: str = ""
    """Name of an input, operator of a map, or kind of a reduction."""
    attrs: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float"
    """C type of an element."""

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Value:
    """A strided view of a node's array."""

    node: Node
    shape: Shape
    strides: Shape
    offset: int = 0

    @property
    def whole(self) -> bool:
        """Whether this is the whole array, in order."""
        return self.offset == 0 and self.size == self.node.size and dense(self)

    @property
    def size(self) -> int:
        """Number of elements of the view."""
        return math.prod(self.shape)


Arg: TypeAlias = Value | float


def contiguous(shape: Sequence[int]) -> Shape:
    """Strides of a dense array in row-major order."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def dense(value: Value) -> bool:
    """Whether the view's elements follow each other in memory."""
    wanted = contiguous(value.shape)
    return all(n == 1 or s == w for n, s, w in zip(value.shape, value.strides, wanted, strict=True))


def of(node: Node) -> Value:
    """All of a node."""
    return Value(node, node.shape, contiguous(node.shape))


def map_of(op: str, shape: Shape, *args: Arg, dtype: str = "float") -> Value:
    """A map over `shape`; arguments are broadcast to it."""
    full = tuple(a if isinstance(a, float) else expand(a, shape) for a in args)
    return of(Node("map", shape, full, op, dtype=dtype))


def apply(op: str, *args: Arg) -> Value:
    """A map over the broadcast shape of its arguments."""
    shape: Shape = ()
    for arg in args:
        if isinstance(arg, Value):
            shape = broadcast(shape, arg.shape)
    return map_of(op, shape, *args)


def reduce(op: str, value: Value, dims: Sequence[int]) -> Value:
    """A reduction that keeps the reduced dims with size 1."""
    rank = len(value.shape)
    gone = {d % rank for d in dims} if rank else set()
    shape = tuple(1 if i in gone else n for i, n in enumerate(value.shape))
    dtype = "int64_t" if op in ("argmax", "argmin") else "float"
    return of(Node("reduce", shape, (value,), op, {"dims": tuple(sorted(gone))}, dtype))


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape that both broadcast to."""
    rank = max(len(a), len(b))
    left, right = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    return tuple(y if x == 1 else x for x, y in zip(left, right, strict=True))


# --- Views -------------------------------------------------------------------------------------------


def expand(value: Value, shape: Sequence[int]) -> Value:
    """Broadcast to `shape` (-1 keeps a size)."""
    lead = len(shape) - len(value.shape)
    strides: list[int] = [0] * lead
    sizes = list(shape)
    for i, (n, s) in enumerate(zip(value.shape, value.strides, strict=True)):
        sizes[lead + i] = n if sizes[lead + i] == -1 else sizes[lead + i]
        strides.append(s if n == sizes[lead + i] else 0)
    return Value(value.node, tuple(sizes), tuple(strides), value.offset)


def permute(value: Value, order: Sequence[int]) -> Value:
    """Dims in another order."""
    rank = len(value.shape)
    order = [d % rank for d in order]
    shape, strides = tuple(value.shape[d] for d in order), tuple(value.strides[d] for d in order)
    return Value(value.node, shape, strides, value.offset)


def cut(value: Value, dim: int, start: int, length: int, step: int = 1) -> Value:
    """Every `step`-th element of one dim from `start`; `length` of them. A flip has step -1."""
    dim %= len(value.shape)
    shape, strides = list(value.shape), list(value.strides)
    offset = value.offset + start * strides[dim]
    shape[dim], strides[dim] = length, strides[dim] * step
    return Value(value.node, tuple(shape), tuple(strides), offset)


def drop(value: Value, dim: int) -> Value:
    """Without a dim (of size 1, or cut to one element)."""
    dim %= len(value.shape)
    keep = [i for i in range(len(value.shape)) if i != dim]
    return permute(value, keep)


def insert(value: Value, dim: int) -> Value:
    """With a new dim of size 1."""
    dim %= len(value.shape) + 1
    shape, strides = list(value.shape), list(value.strides)
    shape.insert(dim, 1)
    strides.insert(dim, 0)
    return Value(value.node, tuple(shape), tuple(strides), value.offset)


def reshape(value: Value, shape: Sequence[int]) -> Value | None:
    """Another shape of the same elements in order; None when no strides express it."""
    shape = tuple(shape)
    if shape == value.shape:
        return value
    strides = _restride(value, shape)
    return None if strides is None else Value(value.node, shape, strides, value.offset)


def _restride(value: Value, shape: Shape) -> Shape | None:
    """Strides for `shape`: runs of old dims that lie behind each other are parted anew."""
    runs: list[list[int]] = []  # [size, stride of its last dim]
    for n, s in zip(value.shape, value.strides, strict=True):
        if n == 1:
            continue
        if runs and runs[-1][1] == s * n:
            runs[-1] = [runs[-1][0] * n, s]
        else:
            runs.append([n, s])
    strides: list[int] = []
    run, left = -1, 1
    for n in shape:
        if n == 1:
            strides.append(0)
            continue
        if left == 1:
            run += 1
            left = runs[run][0]
        if left % n:
            return None
        left //= n
        strides.append(runs[run][1] * left)
    return tuple(strides)


def through(view: Value, arg: Value) -> Value | None:
    """`arg` of the map that `view` looks at, as that view sees it; None when no strides express it."""
    node = view.node
    if view.whole:
        return reshape(arg, view.shape)
    steps = contiguous(node.shape)
    left, offset = view.offset, arg.offset
    starts = []
    for n, step, stride in zip(node.shape, steps, arg.strides, strict=True):
        starts.append(left // step if n > 1 else 0)
        left -= starts[-1] * step
        offset += starts[-1] * stride
    strides = []
    for n, s in zip(view.shape, view.strides, strict=True):
        found = 0 if n == 1 or s == 0 else _walk(node.shape, steps, starts, arg.strides, n, s)
        if found is None:
            return None
        strides.append(found)
    return Value(arg.node, view.shape, tuple(strides), offset)


def _walk(shape: Shape, steps: Shape, starts: list[int], strides: Shape, n: int, s: int) -> int | None:
    """The stride in an argument of a view's dim that moves along exactly one dim of the map."""
    for size, step, start, stride in zip(shape, steps, starts, strides, strict=True):
        if size > 1 and s % step == 0 and 0 <= start + (n - 1) * (s // step) < size:
            return stride * (s // step)
    return None
