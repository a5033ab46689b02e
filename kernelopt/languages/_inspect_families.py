"""Classes that are found through a base of theirs, or in a table, without anybody naming them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from kernelopt.languages._names import Names, path


def found_by_base(names: Names) -> set[str]:
    """Classes that a base of this module is told of, or asks for.

    By ``__init_subclass__``, a metaclass, or ``Kernel.__subclasses__()``.
    """
    asked = {base for _, base in _asked(names)}
    told = {name for name, node in names.classes.items() if node.keywords or _hears(node)}
    found: set[str] = set()
    while more := _derived(names, asked | told | found) - found:
        found |= more
    return found


def _derived(names: Names, bases: set[str]) -> set[str]:
    return {name for name in names.classes if bases & {*names.bases(name)}}


def _hears(node: ast.ClassDef) -> bool:
    return any(isinstance(part, ast.FunctionDef) and part.name == "__init_subclass__" for part in node.body)


def own_subclasses(names: Names) -> set[int]:
    """Ids of the attributes in ``Kernel.__subclasses__()``, where that can only be classes of this module.

    Of a class that derives from ``type``, calling it without arguments fails.
    """
    return {id(node) for node, _ in _asked(names)}


def _asked(names: Names) -> Iterator[tuple[ast.Attribute, str]]:
    others = _bound_otherwise(names)
    for node in names.nodes:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="__subclasses__") as asked,
                args=[],
                keywords=[],
            ) if name in names.classes and name not in others:
                yield asked, name


def _bound_otherwise(names: Names) -> set[str | None]:
    """Names that somewhere stand for something else than a class of the module: ``def f(Kernel): ...``."""
    found: set[str | None] = {*names.values, *names.imports, *names.functions}
    for node in names.nodes:
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            found.add(node.name)
    return found


def class_tables(names: Names) -> dict[str, set[str | None]]:
    """Classes of the module, each with the names that stand for it or hold it."""
    found: dict[str, set[str | None]] = {name: set() for name in names.classes}
    for where, values in names.values.items():
        for cls in {cls for each in values for cls in _classes_in(each, names)}:
            found[cls].update({where} - {None})
    return found


def _classes_in(node: ast.expr, names: Names) -> set[str]:
    """The class that a value is, or those that a base says are its subclasses."""
    if isinstance(node, ast.Name):
        return {node.id} & {*names.classes}
    asked = (part for part in ast.walk(node) if isinstance(part, ast.Attribute))
    bases = {path(part.value) for part in asked if part.attr == "__subclasses__"} & {*names.classes}
    return {cls for cls in names.classes for base in bases if derives(names, cls, str(base))}


def makes(cls: str, names: Names, tables: set[str | None]) -> Callable[[ast.expr], bool]:
    """Whether an expression constructs that class of the module, by its name or out of one of its tables."""

    def is_made(node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Subscript(value=table)):
                return path(table) in tables or cls in _classes_in(table, names)
            case ast.Call(func=ast.Call(func=ast.Attribute(value=table, attr="get" | "pop" | "__getitem__"))):
                return path(table) in tables
            case ast.Call(func=ast.Call(func=ast.Name("next")) as found):
                return cls in _classes_in(found, names)
            case ast.Call(func=made):
                return path(made) == cls or path(made) in tables
        return False

    return is_made


def derives(names: Names, cls: str, base: str) -> bool:
    """Whether `cls` is, or is derived from, a class of this module."""
    seen, queue = {cls}, [cls]
    for each in queue:
        more = {name for name in names.bases(each) if name in names.classes} - seen
        seen |= more
        queue += more
    return base in seen
