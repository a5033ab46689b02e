"""ATen operators that contract, convolve, pool or join → nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import Node, UnknownOperator, Value
from kernelopt.lms._builtin.recurrence import recurrence
from kernelopt.lms._builtin.rules import Lowering, rule
from kernelopt.lms._builtin.rules_views import view


def contract(a: Value, b: Value) -> Value:
    """Product of [B, M, K] and [B, K, N]. With one row or column it is a plain sum of products."""
    batch, rows, inner = a.shape
    cols = b.shape[2]
    if cols == 1:
        products = g.map_of("mul", (batch, rows, inner), a, g.permute(b, (0, 2, 1)))
        return g.reduce("sum", products, [2])
    return g.of(Node("contract", (batch, rows, cols), (a, b), "mul", {"inner": inner}))


@rule("mm")
def _mm(low: Lowering, a: Value, b: Value) -> Value:
    return g.drop(contract(g.insert(a, 0), g.insert(b, 0)), 0)


@rule("bmm")
def _bmm(low: Lowering, a: Value, b: Value) -> Value:
    return contract(a, b)


@rule("mv")
def _mv(low: Lowering, a: Value, v: Value) -> Value:
    return g.drop(_mm(low, a, g.insert(v, 1)), 1)


@rule("dot", "vdot")
def _dot(low: Lowering, a: Value, b: Value) -> Value:
    return g.drop(g.reduce("sum", g.apply("mul", a, b), [0]), 0)


@rule("addmm")
def _addmm(low: Lowering, bias: Value, a: Value, b: Value, beta: float = 1, alpha: float = 1) -> Value:
    return _added(bias, _mm(low, a, b), beta, alpha)


@rule("baddbmm")
def _baddbmm(low: Lowering, bias: Value, a: Value, b: Value, beta: float = 1, alpha: float = 1) -> Value:
    return _added(bias, contract(a, b), beta, alpha)


@rule("addmv")
def _addmv(low: Lowering, bias: Value, a: Value, v: Value, beta: float = 1, alpha: float = 1) -> Value:
    return _added(bias, _mv(low, a, v), beta, alpha)


def _added(bias: Value, product: Value, beta: float, alpha: float) -> Value:
    product = product if alpha == 1 else g.apply("mul", product, float(alpha))
    if beta == 0:
        return product
    return g.apply("add", product, bias if beta == 1 else g.apply("mul", bias, float(beta)))


@rule("convolution")
def _convolution(
    low: Lowering,
    x: Value,
    weight: Value,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Value:
    if transposed or len(x.shape) > 4:
        raise UnknownOperator("transposed or three-dimensional convolution")
    flat = len(x.shape) == 3
    if flat:
        x, weight = g.insert(x, 2), g.insert(weight, 2)
    pair = (_pair(stride, 1, flat), _pair(padding, 0, flat), _pair(dilation, 1, flat))
    out = _plain_conv(x, weight, *pair, groups)
    if bias is not None:
        out = g.apply("add", out, view(bias, [bias.shape[0], 1, 1]))
    return g.drop(out, 2) if flat else out


def _pair(x: Sequence[int], filler: int, flat: bool) -> tuple[int, int]:
    return (filler, x[0]) if flat else (x[0], x[-1])


def _plain_conv(x: Value, weight: Value, stride: Any, padding: Any, dilation: Any, groups: int) -> Value:
    n, c, h, w = x.shape
    o, _, kh, kw = weight.shape
    if (kh, kw, groups) == (1, 1, 1) and stride == (1, 1) and padding == (0, 0):
        pixels = g.reshape(x, (n, c, h * w))
        if pixels is not None:
            kernel = g.expand(view(weight, [1, o, c]), (n, o, c))
            return view(contract(kernel, pixels), [n, o, h, w])
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    high = (h + 2 * padding[0] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    wide = (w + 2 * padding[1] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    return g.of(Node("conv", (n, o, high, wide), (x, weight), "mul", attrs))


# --- Pools -------------------------------------------------------------------------------------------


@rule("max_pool2d_with_indices", "max_pool2d")
def _max_pool(
    low: Lowering,
    x: Value,
    kernel: Any,
    stride: Any = (),
    padding: Any = 0,
    dilation: Any = 1,
    ceil: bool = False,
) -> list[Any]:
    return [_pool("max", x, kernel, stride, padding, dilation, ceil, counted=False), None]


@rule("avg_pool2d")
def _avg_pool(
    low: Lowering,
    x: Value,
    kernel: Any,
    stride: Any = (),
    padding: Any = 0,
    ceil: bool = False,
    counted: bool = True,
    divisor: int | None = None,
) -> Value:
    if divisor is not None:
        raise UnknownOperator("avg_pool2d with a divisor of its own")
    return _pool("mean", x, kernel, stride, padding, 1, ceil, counted)


@rule("_adaptive_avg_pool2d", "adaptive_avg_pool2d", "mean_pool")
def _adaptive(low: Lowering, x: Value, size: Any) -> Value:
    high, wide = _two(size)
    if x.shape[-2] % high or x.shape[-1] % wide:
        raise UnknownOperator("adaptive_avg_pool2d with windows of unequal size")
    window = (x.shape[-2] // high, x.shape[-1] // wide)
    return _pool("mean", x, window, window, 0, 1, False, True)


def _two(x: Any) -> tuple[int, int]:
    return (x, x) if isinstance(x, int) else (x[0], x[-1])


def _pool(
    op: str, x: Value, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, counted: bool
) -> Value:
    if ceil:
        raise UnknownOperator("pooling with ceil_mode")
    k, p, d = _two(kernel), _two(padding), _two(dilation)
    s = _two(stride) if stride else k
    sizes = [(n + 2 * p[i] - d[i] * (k[i] - 1) - 1) // s[i] + 1 for i, n in enumerate(x.shape[-2:])]
    attrs = {"kernel": k, "stride": s, "padding": p, "dilation": d, "counted": counted}
    return g.of(Node("pool", (*x.shape[:-2], *sizes), (x,), op, attrs))


# --- Joins -------------------------------------------------------------------------------------------


@rule("cat")
def _cat(low: Lowering, parts: Sequence[Value], dim: int = 0) -> Value:
    dim %= len(parts[0].shape)
    shape = list(parts[0].shape)
    shape[dim] = sum(part.shape[dim] for part in parts)
    return g.of(Node("cat", tuple(shape), tuple(parts), "copy", {"dim": dim}))


@rule("stack")
def _stack(low: Lowering, parts: Sequence[Value], dim: int = 0) -> Value:
    dim %= len(parts[0].shape) + 1
    return recurrence(parts, dim) or _cat(low, [g.insert(part, dim) for part in parts], dim)
