"""ATen operators that make constants or copies → nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import UnknownOperator, Value
from kernelopt.lms._builtin.rules import LOWER, Lowering, iota, rule


def _constant(fill: float) -> Callable[..., Value]:
    def lower(low: Lowering, like: Any, size: Any = None, **_: Any) -> Value:
        return _filled(size if isinstance(size, (list, tuple)) else like, fill)

    return lower


def _filled(size: Any, fill: float) -> Value:
    return g.map_of("copy", size.shape if isinstance(size, Value) else tuple(size), float(fill))


for _name in ("zeros_like", "new_zeros", "zeros", "empty_like", "empty", "new_empty"):
    LOWER[_name] = _constant(0.0)
for _name in ("ones_like", "new_ones", "ones"):
    LOWER[_name] = _constant(1.0)


@rule("full", "full_like", "new_full")
def _full(low: Lowering, like: Any, *rest: Any, **_: Any) -> Value:
    return _filled(*rest[:2]) if len(rest) > 1 else _filled(like, rest[0])


@rule("scalar_tensor")
def _scalar(low: Lowering, fill: Any, **_: Any) -> Value:
    return _filled((), fill)


@rule("arange")
def _arange(low: Lowering, *ends: Any, **_: Any) -> Value:
    start, end, step = (0, *ends, 1) if len(ends) == 1 else (*ends, 1)[:3]
    count = max(0, math.ceil((end - start) / step))
    return g.apply("add", g.apply("mul", iota(count), float(step)), float(start))


@rule("clone", "contiguous", "lift_fresh_copy")
def _clone(low: Lowering, x: Value, **_: Any) -> Value:
    return x if x.whole else g.map_of("copy", x.shape, x, dtype=x.node.dtype)


@rule("detach", "alias", "lift_fresh")
def _same(low: Lowering, x: Value, *_: Any, **__: Any) -> Value:
    return x


@rule("_to_copy")
def _to_copy(low: Lowering, x: Value, dtype: Any = None, **_: Any) -> Value:
    kinds = {None: x.node.dtype, torch.float32: "float", torch.int64: "int64_t"}
    if dtype is torch.bool:
        x = g.apply("ne", x, 0.0)
        x.node.dtype = "bool"
        return x
    if dtype not in kinds:
        raise UnknownOperator(f"conversion to {dtype}")
    return g.map_of("copy", x.shape, x, dtype=kinds[dtype])
