"""What the names of a module stand for, as far as its text tells: imports, aliases, values that hold X."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from kernelopt.languages._operators import COMPUTING, CONTAINERS

_PASSING = (
    "getattr",
    "partial",
    "functools.partial",
    "zip",
    "enumerate",
    "list",
    "tuple",
    "iter",
    "reversed",
)
"""Functions whose result is, or holds, what they are given."""

_LONGEST_CHAIN = 20
"""Assignments against the order of the text through which a value is followed."""

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def path(node: ast.expr) -> str | None:
    """``self.lib`` for that expression, ``libs`` for ``libs["a"]``; None for what has no such path."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = path(node.value)
        return f"{base}.{node.attr}" if base else None
    if isinstance(node, ast.Subscript | ast.Starred):
        return path(node.value)
    return None


class Names:
    """Imports, classes, functions and assignments of one module, wherever they stand."""

    def __init__(self, tree: ast.Module):
        self.imports: dict[str, str] = {}
        self.starred: list[str] = []
        self.classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        inside = {id(part) for node in self.classes.values() for part in node.body}
        self.functions: dict[str, Function] = {
            node.name: node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and id(node) not in inside
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
        self.assignments = [*_assignments(tree), *self._class_attributes()]
        self.values: dict[str | None, list[ast.expr]] = {}
        for target, value in self.assignments:
            self.values.setdefault(path(target), []).append(value)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                if alias.name == "*":
                    self.starred.append(node.module or "")
                else:
                    self.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif alias.asname:
                self.imports[alias.asname] = alias.name
            else:
                root = alias.name.split(".")[0]
                self.imports[root] = root

    def _class_attributes(self) -> Iterator[tuple[ast.expr, ast.expr]]:
        for name, node in self.classes.items():
            for target, value in _assignments(ast.Module(node.body, [])):
                if isinstance(target, ast.Name):
                    for owner in ("self", "cls", name):
                        yield ast.Attribute(ast.Name(owner), target.id), value

    def dotted(self, node: ast.expr) -> str | None:
        """The full dotted name that an expression is imported from, or None."""
        if isinstance(node, ast.Name):
            if node.id in self.imports:
                return self.imports[node.id]
            known = node.id in self.functions or node.id in self.classes
            telling = node.id in COMPUTING or node.id in ("load", "load_inline", "cpp", "nn")
            return f"{self.starred[0]}.{node.id}" if self.starred and telling and not known else None
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else None
        return None

    def method(self, owner: str | None, name: str) -> tuple[str, Function] | None:
        """The class and definition that a method name means on `owner`, bases of this module included."""
        seen: set[str] = set()
        queue = [owner] if owner else []
        while queue:
            cls = queue.pop(0)
            if cls not in self.classes or cls in seen:
                continue
            seen.add(cls)
            for node in self.classes[cls].body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                    return cls, node
            queue += self.bases(cls)
        return None

    def bases(self, cls: str) -> list[str]:
        """Bases of a class of this module, as they are written."""
        return [ast.unparse(base) for base in self.classes[cls].bases]


def _assignments(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pairs (target, value) of everything that binds a name or attribute, loops included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _pairs(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, ast.For | ast.comprehension):
            yield from ((target, node.iter) for target in _leaves(node.target))
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield node.optional_vars, node.context_expr
        elif isinstance(node, ast.Call):
            yield from _stores(node)


def _stores(node: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
    """``layers.append(value)`` and ``setattr(self, "name", value)`` bind as well."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[value]):
            yield owner, value
        case ast.Call(
            func=ast.Name(id="setattr") | ast.Attribute(attr="add_module" | "register_module"),
            args=[*_, ast.Constant(value=str(name)), value],
        ):
            yield ast.Attribute(ast.Name("self"), name), value


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
            for node in ast.walk(function):
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
        passes = name in _PASSING or self._names.dotted(node.func) in CONTAINERS
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
