"""Classes that are found through a base of theirs, without anybody naming them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._names import Names


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
    for node in names.nodes:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="__subclasses__") as asked,
                args=[],
                keywords=[],
            ) if name in names.classes and name not in names.values and name not in names.imports:
                yield asked, name
