"""ATen operators → nodes: one small rule each. What is not here is not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import Arg, Node, UnknownOperator, Value

LOWER: dict[str, Callable[..., Any]] = {}
"""Name of an ATen operator without its overload → a function of the lowering and its arguments."""


@dataclass(frozen=True, slots=True)
class Lowering:
    """What a writer may forget."""

    row_max: bool = True
    """Whether a softmax subtracts the maximum of its row."""
    epsilon: bool = True
    """Whether normalisations add their epsilon."""


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a rule for some operators."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        LOWER.update(dict.fromkeys(names, function))
        return function

    return add


def arg(x: Any) -> Arg:
    """A tensor as it is, a number as a float."""
    return x if isinstance(x, Value) else float(x)


# --- Maps --------------------------------------------------------------------------------------------

_SAME_NAME = (
    *("relu", "sigmoid", "silu", "tanh", "exp", "log", "sqrt", "abs", "neg", "sin", "cos", "erf", "atan"),
    *("hardswish", "hardsigmoid", "mish", "log1p", "expm1", "reciprocal", "sign", "floor", "ceil", "round"),
    *("logical_not", "maximum", "minimum", "exp2", "log2", "relu6", "mul", "where"),
)
_OTHER_NAME = {"logical_and": "mul", "bitwise_and": "mul", "bitwise_not": "logical_not"}


def _plain(name: str, op: str) -> None:
    LOWER[name] = lambda _, *args, **__: g.apply(op, *(arg(a) for a in args))


def _compare(name: str) -> None:
    def compare(_: Lowering, a: Any, b: Any) -> Value:
        out = g.apply(name, arg(a), arg(b))
        out.node.dtype = "bool"
        return out

    LOWER[name] = compare


for _name in _SAME_NAME:
    _plain(_name, _name)
for _name, _op in _OTHER_NAME.items():
    _plain(_name, _op)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    _compare(_name)


@rule("log_sigmoid_forward")
def _log_sigmoid(low: Lowering, x: Value) -> list[Any]:
    return [g.apply("log_sigmoid", x), None]


@rule("rsqrt")
def _rsqrt(low: Lowering, x: Value) -> Value:
    return g.apply("rsqrt", without_epsilon(low, x))


def without_epsilon(low: Lowering, x: Value) -> Value:
    """`x`, less a tiny constant added to it, if epsilons are forgotten."""
    args = x.node.args
    if low.epsilon or x.node.op != "add" or not x.whole:
        return x
    first, second = args
    tiny = isinstance(second, float) and 0 < second < 1e-3
    return first if tiny and isinstance(first, Value) else x


@rule("add")
def _add(low: Lowering, a: Any, b: Any, alpha: float = 1) -> Value:
    return g.apply("add", arg(a), _scaled(b, alpha))


@rule("sub")
def _sub(low: Lowering, a: Any, b: Any, alpha: float = 1) -> Value:
    return g.apply("sub", arg(a), _scaled(b, alpha))


@rule("rsub")
def _rsub(low: Lowering, a: Any, b: Any, alpha: float = 1) -> Value:
    return g.apply("sub", arg(b), _scaled(a, alpha))


def _scaled(b: Any, alpha: float) -> Arg:
    return arg(b) if alpha == 1 else g.apply("mul", arg(b), float(alpha))


@rule("div")
def _div(low: Lowering, a: Any, b: Any, rounding_mode: str | None = None) -> Value:
    if rounding_mode == "floor":
        return g.apply("floor", g.apply("div", arg(a), arg(b)))
    if rounding_mode is not None:
        raise UnknownOperator(f"div with rounding_mode={rounding_mode}")
    return g.apply("div", arg(a), arg(b))


@rule("addcmul")
def _addcmul(low: Lowering, x: Value, a: Any, b: Any, value: float = 1) -> Value:
    return g.apply("add", x, _scaled(g.apply("mul", arg(a), arg(b)), value))


@rule("lerp")
def _lerp(low: Lowering, a: Value, b: Value, weight: Any) -> Value:
    return g.apply("add", a, g.apply("mul", arg(weight), g.apply("sub", b, a)))


@rule("pow")
def _pow(low: Lowering, a: Any, b: Any) -> Value:
    if isinstance(a, Value) and not isinstance(b, Value):
        if b == 2:
            return g.apply("mul", a, a)
        if b == 3:
            return g.apply("mul", g.apply("mul", a, a), a)
        special = {0.5: "sqrt", -0.5: "rsqrt", -1: "reciprocal", 1: "copy"}
        if b in special:
            return g.apply(special[b], a)
    return g.apply("pow", arg(a), arg(b))


@rule("square")
def _square(low: Lowering, a: Value) -> Value:
    return g.apply("mul", a, a)


@rule("clamp", "hardtanh", "clamp_min")
def _clamp(low: Lowering, x: Value, least: Any = None, most: Any = None, **names: Any) -> Value:
    least, most = names.get("min", least), names.get("max", most)
    if least is not None:
        x = g.apply("maximum", x, arg(least))
    return x if most is None else g.apply("minimum", x, arg(most))


@rule("clamp_max")
def _clamp_max(low: Lowering, x: Value, most: Any) -> Value:
    return g.apply("minimum", x, arg(most))


@rule("gelu")
def _gelu(low: Lowering, x: Value, approximate: str = "none") -> Value:
    return g.apply("gelu_tanh" if approximate == "tanh" else "gelu", x)


@rule("leaky_relu")
def _leaky(low: Lowering, x: Value, slope: float = 0.01) -> Value:
    return g.apply("where", g.apply("gt", x, 0.0), x, g.apply("mul", x, float(slope)))


@rule("elu")
def _elu(low: Lowering, x: Value, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Value:
    below = g.apply("mul", g.apply("expm1", g.apply("mul", x, float(input_scale))), float(alpha * scale))
    return g.apply("where", g.apply("gt", x, 0.0), g.apply("mul", x, float(scale)), below)


@rule("softplus")
def _softplus(low: Lowering, x: Value, beta: float = 1, threshold: float = 20) -> Value:
    if beta == 1:
        return g.apply("softplus", x)
    return g.apply("mul", g.apply("softplus", g.apply("mul", x, float(beta))), 1.0 / beta)


@rule("masked_fill")
def _masked_fill(low: Lowering, x: Value, mask: Value, value: Any) -> Value:
    return g.apply("where", mask, arg(value), x)


@rule("xlogy")
def _xlogy(low: Lowering, x: Any, y: Any) -> Value:
    product = g.apply("mul", arg(x), g.apply("log", arg(y)))
    return g.apply("where", g.apply("eq", arg(x), 0.0), 0.0, product)


def _triangle(op: str) -> Callable[..., Value]:
    def lower(low: Lowering, x: Value, diagonal: int = 0) -> Value:
        rows, cols = x.shape[-2:]
        row = g.expand(g.insert(iota(rows), 1), (rows, cols))
        ahead = g.apply("sub", g.expand(iota(cols), (rows, cols)), row)
        return g.apply("where", g.apply(op, ahead, float(diagonal)), x, 0.0)

    return lower


LOWER["triu"], LOWER["tril"] = _triangle("ge"), _triangle("le")


def iota(n: int) -> Value:
    """0, 1, ... n - 1."""
    return g.of(Node("iota", (n,)))
