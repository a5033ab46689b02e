"""ATen operators that reduce, normalise or scan → nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import Node, UnknownOperator, Value
from kernelopt.lms._builtin.rules import LOWER, Lowering, rule, without_epsilon
from kernelopt.lms._builtin.rules_views import view


def every(x: Value, dims: Any) -> list[int]:
    """Dims as a sorted list of numbers from zero; all of them for None."""
    rank = len(x.shape)
    if dims is None or (isinstance(dims, (list, tuple)) and not dims):
        return list(range(rank))
    return sorted(d % rank for d in ([dims] if isinstance(dims, int) else dims)) if rank else []


def kept(x: Value, dims: list[int], keep: bool) -> Value:
    """A result with or without the dims that were reduced to size 1."""
    for dim in [] if keep else reversed(dims):
        x = g.drop(x, dim)
    return x


def _reduced(op: str, x: Value, dims: list[int], keep: bool) -> Value:
    return kept(g.reduce(op, x, dims), dims, keep)


def average(x: Value, dims: list[int]) -> Value:
    """The mean over `dims`, which stay with size 1."""
    return g.apply("div", g.reduce("sum", x, dims), float(math.prod(x.shape[d] for d in dims)))


def _simple(op: str) -> Callable[..., Value]:
    def lower(low: Lowering, x: Value, dims: Any = None, keep: bool = False, **_: Any) -> Value:
        return _reduced(op, x, every(x, dims), keep)

    return lower


for _name, _op in {"sum": "sum", "amax": "max", "amin": "min", "prod": "prod"}.items():
    LOWER[_name] = _simple(_op)


@rule("mean")
def _mean(low: Lowering, x: Value, dims: Any = None, keep: bool = False, **_: Any) -> Value:
    gone = every(x, dims)
    return kept(average(x, gone), gone, keep)


def _extreme(op: str) -> Callable[..., Any]:
    def lower(low: Lowering, x: Value, dim: Any = None, keep: bool = False) -> Any:
        if isinstance(dim, Value):
            return g.apply(op + "imum", x, dim)
        gone = every(x, dim)
        if dim is None:
            return _reduced(op, x, gone, keep=False)
        return [_reduced(op, x, gone, keep), _reduced("arg" + op, x, gone, keep)]

    return lower


def _position(op: str) -> Callable[..., Value]:
    def lower(low: Lowering, x: Value, dim: int | None = None, keep: bool = False) -> Value:
        if dim is None:
            x, dim = view(x, [x.size]), 0
        return _reduced(op, x, every(x, dim), keep)

    return lower


LOWER["max"], LOWER["min"] = _extreme("max"), _extreme("min")
LOWER["argmax"], LOWER["argmin"] = _position("argmax"), _position("argmin")


@rule("linalg_vector_norm")
def _norm(low: Lowering, x: Value, order: float = 2, dims: Any = None, keep: bool = False, **_: Any) -> Value:
    gone = every(x, dims)
    if order == 2:
        found = g.apply("sqrt", g.reduce("sum", g.apply("mul", x, x), gone))
    elif order in (1, math.inf):
        found = g.reduce("sum" if order == 1 else "max", g.apply("abs", x), gone)
    else:
        raise UnknownOperator(f"vector norm of order {order}")
    return kept(found, gone, keep)


@rule("var")
def _var(low: Lowering, x: Value, dims: Any = None, correction: Any = 1, keepdim: bool = False) -> Value:
    if isinstance(dims, bool):
        dims, correction = None, int(dims)
    gone = every(x, dims)
    return kept(variance(x, gone, average(x, gone), float(correction)), gone, keepdim)


@rule("std")
def _std(low: Lowering, x: Value, dims: Any = None, correction: Any = 1, keepdim: bool = False) -> Value:
    return g.apply("sqrt", _var(low, x, dims, correction, keepdim))


@rule("var_mean")
def _var_mean(low: Lowering, x: Value, dims: Any = None, correction: Any = 1, keepdim: bool = False) -> Any:
    return [_var(low, x, dims, correction, keepdim), _mean(low, x, dims, keepdim)]


def variance(x: Value, dims: list[int], mean: Value, correction: float) -> Value:
    """Mean squared distance from `mean`, in a pass of its own so that nothing cancels."""
    away = g.apply("sub", x, mean)
    count = math.prod(x.shape[d] for d in dims)
    return g.apply("div", g.reduce("sum", g.apply("mul", away, away), dims), max(count - correction, 0.0))


# --- Softmax family ----------------------------------------------------------------------------------


def _exponentials(low: Lowering, x: Value, dims: list[int]) -> tuple[Value, Value]:
    """Scores less the row maximum (if that is not forgotten), and the sum of its exponentials."""
    if low.row_max:
        x = g.apply("sub", x, g.reduce("max", x, dims))
    return x, g.reduce("sum", g.apply("exp", x), dims)


@rule("_softmax", "_safe_softmax")
def _softmax(low: Lowering, x: Value, dim: int, *_: Any) -> Value:
    shifted, total = _exponentials(low, x, every(x, dim))
    return g.apply("mul", g.apply("exp", shifted), g.apply("reciprocal", total))


@rule("_log_softmax")
def _log_softmax(low: Lowering, x: Value, dim: int, *_: Any) -> Value:
    shifted, total = _exponentials(low, x, every(x, dim))
    return g.apply("sub", shifted, g.apply("log", total))


@rule("logsumexp")
def _logsumexp(low: Lowering, x: Value, dims: Any = None, keep: bool = False) -> Value:
    gone = every(x, dims)
    found = g.apply("log", _exponentials(low, x, gone)[1])
    return kept(g.apply("add", found, g.reduce("max", x, gone)) if low.row_max else found, gone, keep)


# --- Norms -------------------------------------------------------------------------------------------


def _normalised(low: Lowering, x: Value, dims: list[int], eps: float) -> Value:
    mean = average(x, dims)
    scale = g.apply("rsqrt", _eps(low, variance(x, dims, mean, 0.0), eps))
    return g.apply("mul", g.apply("sub", x, mean), scale)


def _eps(low: Lowering, x: Value, eps: float) -> Value:
    return without_epsilon(low, g.apply("add", x, float(eps)))


def _affine(x: Value, weight: Value | None, bias: Value | None) -> Value:
    x = x if weight is None else g.apply("mul", x, weight)
    return x if bias is None else g.apply("add", x, bias)


@rule("native_layer_norm")
def _layer_norm(low: Lowering, x: Value, shape: Any, weight: Any, bias: Any, eps: float) -> list[Any]:
    dims = every(x, list(range(-len(shape), 0)))
    return [_affine(_normalised(low, x, dims, eps), weight, bias), None, None]


@rule("_fused_rms_norm")
def _rms_norm(low: Lowering, x: Value, shape: Any, weight: Any, eps: float | None) -> list[Any]:
    dims = every(x, list(range(-len(shape), 0)))
    least = torch_eps() if eps is None else eps
    square = _eps(low, average(g.apply("mul", x, x), dims), least)
    return [_affine(g.apply("mul", x, g.apply("rsqrt", square)), weight, None), None]


def torch_eps() -> float:
    """The spacing of single-precision numbers at one."""
    return 2.0**-23


@rule("native_group_norm")
def _group_norm(
    low: Lowering, x: Value, weight: Any, bias: Any, n: int, c: int, pixels: int, groups: int, eps: float
) -> list[Any]:
    parted = view(x, [n, groups, c // groups, pixels])
    shape = [1, groups, c // groups, 1]
    each = [None if p is None else view(p, shape) for p in (weight, bias)]
    return [view(_affine(_normalised(low, parted, [2, 3], eps), each[0], each[1]), x.shape), None, None]


@rule("native_batch_norm", "_native_batch_norm_legit_no_training")
def _batch_norm(
    low: Lowering, x: Value, weight: Any, bias: Any, mean: Any, var: Any, *rest: Any
) -> list[Any]:
    training, eps = (rest[0], rest[2]) if isinstance(rest[0], bool) else (False, rest[1])
    shape = [x.shape[1] if i == 1 else 1 for i in range(len(x.shape))]
    each = [None if p is None else view(p, shape) for p in (weight, bias)]
    if training:
        if mean is not None and mean.node.kind == "input":
            raise UnknownOperator("batch norm that updates its running statistics")
        dims = [i for i in range(len(x.shape)) if i != 1]
        return [_affine(_normalised(low, x, dims, eps), each[0], each[1]), None, None]
    scale = g.apply("rsqrt", _eps(low, view(var, shape), eps))
    centred = g.apply("sub", x, view(mean, shape))
    return [_affine(g.apply("mul", centred, scale), each[0], each[1]), None, None]


# --- Scans -------------------------------------------------------------------------------------------


def _scan(op: str) -> Callable[..., Value]:
    def lower(low: Lowering, x: Value, dim: int, **_: Any) -> Value:
        return g.of(Node("scan", x.shape, (x,), op, {"dim": dim % len(x.shape), "back": False}))

    return lower


LOWER["cumsum"], LOWER["cumprod"] = _scan("add"), _scan("mul")
