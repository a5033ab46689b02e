"""ATen operators that only look at a tensor differently → views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import Node, Value
from kernelopt.lms._builtin.rules import Lowering, rule


@rule("view", "_unsafe_view", "reshape")
def _view(low: Lowering, x: Value, shape: Sequence[int]) -> Value:
    known = math.prod(n for n in shape if n != -1)
    return view(x, [x.size // known if n == -1 else n for n in shape])


def view(x: Value, shape: Sequence[int]) -> Value:
    """Another shape, by way of a copy where strides cannot express it."""
    found = g.reshape(x, shape)
    if found is None:
        found = g.reshape(g.map_of("copy", x.shape, x, dtype=x.node.dtype), shape)
    assert found is not None
    return found


@rule("permute")
def _permute(low: Lowering, x: Value, order: Sequence[int]) -> Value:
    return g.permute(x, order)


@rule("transpose")
def _transpose(low: Lowering, x: Value, a: int, b: int) -> Value:
    order = list(range(len(x.shape)))
    order[a], order[b] = order[b], order[a]
    return g.permute(x, order)


@rule("t")
def _t(low: Lowering, x: Value) -> Value:
    return g.permute(x, range(len(x.shape))[::-1])


@rule("expand")
def _expand(low: Lowering, x: Value, shape: Sequence[int], **_: Any) -> Value:
    return g.expand(x, shape)


@rule("repeat")
def _repeat(low: Lowering, x: Value, times: Sequence[int]) -> Value:
    while len(x.shape) < len(times):
        x = g.insert(x, 0)
    sizes = x.shape
    for i in range(len(times)):
        x = g.insert(x, 2 * i)
    x = g.expand(x, [n for pair in zip(times, sizes, strict=True) for n in pair])
    return view(x, [n * t for n, t in zip(sizes, times, strict=True)])


@rule("unsqueeze")
def _unsqueeze(low: Lowering, x: Value, dim: int) -> Value:
    return g.insert(x, dim)


@rule("squeeze")
def _squeeze(low: Lowering, x: Value, dims: Any = None) -> Value:
    every = range(len(x.shape)) if dims is None else [dims] if isinstance(dims, int) else dims
    for dim in sorted((d % len(x.shape) for d in every), reverse=True):
        x = g.drop(x, dim) if x.shape[dim] == 1 else x
    return x


@rule("select")
def _select(low: Lowering, x: Value, dim: int, index: int) -> Value:
    return g.drop(g.cut(x, dim, index % x.shape[dim], 1), dim)


@rule("slice")
def _slice(
    low: Lowering, x: Value, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Value:
    first, last, step = slice(start, end, step).indices(x.shape[dim])
    return g.cut(x, dim, first, len(range(first, last, step)), step)


@rule("split", "split_with_sizes")
def _split(low: Lowering, x: Value, sizes: Any, dim: int = 0) -> list[Value]:
    n = x.shape[dim]
    if isinstance(sizes, int):
        sizes = [min(sizes, n - at) for at in range(0, n, sizes)]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [g.cut(x, dim, at, size) for at, size in zip(starts, sizes, strict=True)]


@rule("unbind")
def _unbind(low: Lowering, x: Value, dim: int = 0) -> list[Value]:
    return [_select(low, x, dim, i) for i in range(x.shape[dim])]


@rule("flip")
def _flip(low: Lowering, x: Value, dims: Sequence[int]) -> Value:
    node = x.node
    if node.kind == "scan" and x.whole and [d % len(x.shape) for d in dims] == [node.attrs["dim"]]:
        inner = node.args[0]
        assert isinstance(inner, Value)
        attrs = node.attrs | {"back": not node.attrs["back"]}
        # What was scanned front to back and then turned is the turned input scanned back to front.
        return g.of(Node("scan", node.shape, (_flip(low, inner, dims),), node.op, attrs))
    for dim in dims:
        x = g.cut(x, dim, x.shape[dim] - 1, x.shape[dim], -1)
    return x
