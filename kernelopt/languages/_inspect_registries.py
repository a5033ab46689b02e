"""Functions that a decorator of the module puts into a table, to be called out of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from kernelopt.languages._inspect_assignments import assignments

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def registered(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pairs (table, function) for ``@kernel_for(dtype)`` where that does ``TABLE[key] = function``."""
    found = [node for node in nodes if isinstance(node, Definition)]
    tables = {node.name: list(_filled(node)) for node in found}
    for node in found:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            for table in tables.get(called.id, ()) if isinstance(called, ast.Name) else ():
                yield table, ast.Name(node.name, ast.Load())


def _filled(decorator: Definition) -> Iterator[ast.expr]:
    """Tables that get a parameter of the decorator, or of a function inside of it."""
    parts = list(ast.walk(decorator))
    given = {arg.arg for part in parts if isinstance(part, ast.arguments) for arg in part.args}
    for target, value in assignments(parts):
        if isinstance(value, ast.Name) and value.id in given:
            if isinstance(target, ast.Subscript):
                yield target.value
            elif isinstance(target, ast.Attribute | ast.Name) and not _is_bound(target):
                yield target  # TABLE.append(function)


def _is_bound(target: ast.Attribute | ast.Name) -> bool:
    return isinstance(target.ctx, ast.Store)
