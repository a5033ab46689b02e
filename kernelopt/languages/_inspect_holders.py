"""Which names and attributes of a module may hold a value of some kind."""

from __future__ import annotations

import ast
from collections.abc import Callable

from kernelopt.languages._names import Names, path
from kernelopt.languages._operators import CONTAINERS

PASSING = (
    "getattr",
    "partial",
    "functools.partial",
    "zip",
    "enumerate",
    "list",
    "tuple",
    "iter",
    "reversed",
    "ctypes.CDLL",
    "ctypes.PyDLL",
    "ctypes.cdll.LoadLibrary",
)
"""Functions whose result is, or holds, what they are given."""

_LONGEST_CHAIN = 20
"""Assignments against the order of the text through which a value is followed."""


class Holders:
    """The names and attributes that may hold a value of some kind, followed through assignments."""

    def __init__(self, names: Names, is_source: Callable[[ast.expr], bool]):
        self._names, self._is_source = names, is_source
        self.paths: set[str] = set()
        self.makers: set[str] = set()
        for _ in range(_LONGEST_CHAIN):
            before = len(self.paths) + len(self.makers)
            for target, value in names.assignments:
                found = path(target)
                if found and self.holds(value):
                    self.paths.add(found)
            self._find_makers()
            if before == len(self.paths) + len(self.makers):
                break

    def _find_makers(self) -> None:
        """Functions and methods that return such a value."""
        methods = [(f"self.{part.name}", part) for node in self._names.classes.values() for part in node.body
                   if isinstance(part, ast.FunctionDef)]  # fmt: skip
        for name, function in [*self._names.functions.items(), *methods]:
            for node in self._names.within(function):
                if isinstance(node, ast.Return) and node.value is not None and self.holds(node.value):
                    self.makers.add(name)

    def holds(self, node: ast.expr) -> bool:
        """Whether the expression may be such a value, or a part of one (``lib.f`` of ``lib``)."""
        if self._is_source(node) or path(node) in self.paths:
            return True
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.NamedExpr):
            return self.holds(node.value)
        if isinstance(node, ast.Call):
            return self._call_holds(node)
        return any(self.holds(part) for part in _alternatives(node))

    def _call_holds(self, node: ast.Call) -> bool:
        name = path(node.func)
        if name in self.makers:
            return True
        passes = name in PASSING or self._names.dotted(node.func) in (*PASSING, *CONTAINERS)
        wraps = isinstance(node.func, ast.Attribute) and node.func.attr in (
            "items",
            "values",
            "get",
            "append",
        )
        inner = [node.func.value] if wraps and isinstance(node.func, ast.Attribute) else []
        return any(self.holds(part) for part in (*(node.args if passes else ()), *inner))


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """Expressions that the value of `node` may be taken from."""
    match node:
        case ast.IfExp():
            found = [node.body, node.orelse]
        case ast.BoolOp() | ast.Dict():
            found = node.values
        case ast.Tuple() | ast.List() | ast.Set():
            found = node.elts
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            found = [node.elt]
        case ast.DictComp():
            found = [node.value]
        case _:
            found = []
    return found
