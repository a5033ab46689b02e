"""Functions and classes that a decorator or a base class puts into a table, to be called out of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from kernelopt.languages._inspect_assignments import assignments

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def registered(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pairs (table, function or class): ``@kernel_for(dtype)`` where that does ``TABLE[key] = function``."""
    found = [node for node in nodes if isinstance(node, Definition | ast.ClassDef)]
    tables = {node.name: list(_filled(node)) for node in found if isinstance(node, Definition)}
    families = {node.name: list(_kept_by(node)) for node in found if isinstance(node, ast.ClassDef)}
    for node in found:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            for table in tables.get(called.id, ()) if isinstance(called, ast.Name) else ():
                yield table, ast.Name(node.name, ast.Load())
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            for table in families.get(base.id, ()) if isinstance(base, ast.Name) else ():
                yield table, ast.Name(node.name, ast.Load())


def _kept_by(base: ast.ClassDef) -> Iterator[ast.expr]:
    """Tables into which ``__init_subclass__`` puts classes: ``cls.kinds[name] = cls`` is ``Base.kinds``."""
    for part in base.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init_subclass__":
            for table in _filled(part):
                match table:
                    case ast.Attribute(value=ast.Name("cls"), attr=attr):
                        yield ast.Attribute(ast.Name(base.name), attr)
                    case _:
                        yield table


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
