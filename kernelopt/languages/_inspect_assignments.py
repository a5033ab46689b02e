"""Everything in a text that binds a name, an attribute or an item."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def assignments(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pairs (target, value) of everything that binds a name or attribute, loops included."""
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _pairs(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, ast.For | ast.comprehension):
            yield from _loop(node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield node.optional_vars, node.context_expr
        elif isinstance(node, ast.Call):
            yield from _stores(node)


def _loop(target: ast.expr, values: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a loop binds: each value that is written out, else the whole."""
    if isinstance(target, ast.Name) and isinstance(values, ast.Tuple | ast.List | ast.Set):
        yield from ((target, value) for value in values.elts)
    else:
        yield from ((part, values) for part in _leaves(target))


def _stores(node: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
    """``layers.append(value)`` and ``setattr(self, "name", value)`` bind as well."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=owner, attr="append" | "appendleft" | "extend" | "insert"),
            args=[*_, value],
        ):
            yield owner, value
        case ast.Call(func=ast.Name(id="setattr"), args=[owner, ast.Constant(value=str(name)), value]):
            yield ast.Attribute(owner, name, ast.Store()), value
        case ast.Call(
            func=ast.Attribute(value=owner, attr="add_module" | "register_module"),
            args=[ast.Constant(value=str(name)), value],
        ):
            yield ast.Attribute(owner, name, ast.Store()), value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple | ast.List):
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else [value] * len(target.elts)
        for one, its in zip(target.elts, values, strict=False):
            yield from _pairs(one, its)
    else:
        yield target, value


def _leaves(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _leaves(part)
    else:
        yield target
