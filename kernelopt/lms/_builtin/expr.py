"""Expressions over the elements of one loop nest, interned so that equal parts are computed once.

An expression is a number into the table `Exprs.items`; an item is a tuple: `("load", node, strides,
offset)`, `("iota", strides, offset)`, `("num", float)`, `("red", node)` for a result of the kernel's own
reduction, `("acc",)` for the sum that a product just finished, or an operator with operand numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from kernelopt.lms._builtin.graph import UnknownOperator

Id: TypeAlias = int
Item: TypeAlias = tuple[Any, ...]

LEAVES = ("load", "iota", "num", "red", "acc", "state")
LIBRARY = (
    "exp",
    "log",
    "log1p",
    "expm1",
    "tanh",
    "erf",
    "sin",
    "cos",
    "sqrt",
    "pow",
    "floor",
    "ceil",
    "round",
    "atan",
)
HEAVY = frozenset((*LIBRARY, "rsqrt")) - {"floor", "ceil", "round", "sqrt", "rsqrt"}
COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


class Exprs:
    """The table of one kernel."""

    def __init__(self, reciprocals: bool) -> None:
        self.items: list[Item] = []
        self._ids: dict[Item, Id] = {}
        self._reciprocals = reciprocals
        """Whether a division by a constant becomes a product."""

    def add(self, *item: Any) -> Id:
        """The number of an item; composite operators are taken apart first."""
        parts = _COMPOSITE.get(item[0])
        if parts is not None:
            return parts(self, *item[1:])
        if item[0] == "div" and self._reciprocals and self.items[item[2]][0] == "num":
            value = self.items[item[2]][1]
            if value and math.isfinite(1.0 / value):
                return self.add("mul", item[1], self.num(1.0 / value))
        if item not in self._ids:
            self._ids[item] = len(self.items)
            self.items.append(item)
        return self._ids[item]

    def num(self, value: float) -> Id:
        """A constant."""
        return self.add("num", float(value))

    def operands(self, at: Id) -> tuple[Id, ...]:
        """The operands of an item."""
        item = self.items[at]
        return () if item[0] in LEAVES else item[1:]

    def reach(self, roots: Iterable[Id]) -> list[Id]:
        """Everything that `roots` need, operands first."""
        seen: set[Id] = set()
        todo = list(roots)
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo.extend(self.operands(at))
        return sorted(seen)  # an operand always has a smaller number


# --- Composite operators -----------------------------------------------------------------------------


def _relu(e: Exprs, x: Id) -> Id:
    return e.add("maximum", x, e.num(0))


def _sigmoid(e: Exprs, x: Id) -> Id:
    return e.add("div", e.num(1), _one_plus_exp(e, x))


def _one_plus_exp(e: Exprs, x: Id) -> Id:
    return e.add("add", e.num(1), e.add("exp", e.add("neg", x)))


def _silu(e: Exprs, x: Id) -> Id:
    return e.add("div", x, _one_plus_exp(e, x))


def _gelu(e: Exprs, x: Id) -> Id:
    bell = e.add("erf", e.add("mul", x, e.num(math.sqrt(0.5))))
    return e.add("mul", e.add("mul", x, e.num(0.5)), e.add("add", e.num(1), bell))


def _gelu_tanh(e: Exprs, x: Id) -> Id:
    cube = e.add("mul", e.add("mul", x, x), e.add("mul", x, e.num(0.044715)))
    bell = e.add("tanh", e.add("mul", e.num(math.sqrt(2 / math.pi)), e.add("add", x, cube)))
    return e.add("mul", e.add("mul", x, e.num(0.5)), e.add("add", e.num(1), bell))


def _softplus(e: Exprs, x: Id) -> Id:
    small = e.add("exp", e.add("neg", e.add("abs", x)))
    return e.add("add", e.add("maximum", x, e.num(0)), e.add("log1p", small))


def _relu6(e: Exprs, x: Id) -> Id:
    return e.add("minimum", e.add("maximum", x, e.num(0)), e.num(6))


def _hardsigmoid(e: Exprs, x: Id) -> Id:
    return e.add("div", _relu6(e, e.add("add", x, e.num(3))), e.num(6))


_COMPOSITE: dict[str, Callable[..., Id]] = {
    "relu": _relu,
    "relu6": _relu6,
    "sigmoid": _sigmoid,
    "silu": _silu,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "softplus": _softplus,
    "hardsigmoid": _hardsigmoid,
    "hardswish": lambda e, x: e.add("mul", x, _hardsigmoid(e, x)),
    "mish": lambda e, x: e.add("mul", x, e.add("tanh", _softplus(e, x))),
    "log_sigmoid": lambda e, x: e.add("neg", _softplus(e, e.add("neg", x))),
    "copy": lambda e, x: x,
    "reciprocal": lambda e, x: e.add("div", e.num(1), x),
    "exp2": lambda e, x: e.add("exp", e.add("mul", x, e.num(math.log(2)))),
    "log2": lambda e, x: e.add("mul", e.add("log", x), e.num(1 / math.log(2))),
}


# --- C text ------------------------------------------------------------------------------------------

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_TEMPLATES = {
    "neg": "-{0}",
    "abs": "{0} < 0 ? -{0} : {0}",
    "rsqrt": "{one} / std::sqrt({0})",
    "sign": "({0} > 0) - ({0} < 0)",
    "logical_not": "{0} == 0",
    "where": "{0} != 0 ? {1} : {2}",
    "maximum": "{0} > {1} ? {0} : {1}",
    "minimum": "{0} < {1} ? {0} : {1}",
}


def number(value: float, single: bool) -> str:
    """A constant in C."""
    if not math.isfinite(value):
        return "NAN" if math.isnan(value) else f"{'-' * (value < 0)}__builtin_inff()"
    text = f"{value!r}{'f' * single}"
    return f"({text})" if value < 0 else text


def text(op: str, args: list[str], single: bool, poly: bool) -> str:
    """One operator in C, over operands that are variables or constants."""
    if op in _INFIX or op in COMPARE:
        return f"{args[0]} {_INFIX.get(op) or COMPARE[op]} {args[1]}"
    if poly and op in ("exp", "log", "log1p", "tanh", "erf", "sin", "cos", "expm1"):
        return f"fast_{op}({args[0]})"
    if op in LIBRARY:
        return f"std::{op}({', '.join(args)})"
    if op not in _TEMPLATES:
        raise UnknownOperator(op)
    return _TEMPLATES[op].format(*args, one="1.0f" if single else "1.0")
