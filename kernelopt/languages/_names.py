"""What the names of a module stand for, as far as its text tells: imports, aliases, assignments.

Detours lead to the same name: ``getattr(torch, "mat" + "mul")``, ``vars(torch)["matmul"]`` and
``__import__("torch").matmul`` all stand for ``torch.matmul``.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from kernelopt.languages._inspect_assignments import assignments
from kernelopt.languages._inspect_registries import registered
from kernelopt.languages._operators import COMPUTING

_MOST_ALIASES = 20
"""Assignments to one name that are compared; a name with more is no alias."""
_DEEPEST = 60
"""Steps through aliases, attributes and sums of strings that are followed."""
_LONGEST_TEXT = 100_000
"""Characters of a string that is put together."""

JITS = ("triton.jit", "triton.runtime.jit", "triton.runtime.jit.jit", "triton.experimental.gluon.jit")
"""Decorators (or functions) that make a kernel of a Python function."""

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
        self.nodes = list(ast.walk(tree))
        self.imports: dict[str, str] = {}
        self.starred: list[str] = []
        self.classes = {node.name: node for node in self.nodes if isinstance(node, ast.ClassDef)}
        inside = {id(part) for node in self.classes.values() for part in node.body}
        self.functions: dict[str, Function] = {
            node.name: node
            for node in self.nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and id(node) not in inside
        }
        for node in self.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
        self._meanings: dict[int, tuple[ast.expr, str | None]] = {}
        self._within: dict[int, list[ast.AST]] = {}
        self._bindings: dict[int, list[tuple[ast.expr, ast.expr]]] = {}
        self._texts: dict[int, tuple[ast.expr, str | None]] = {}
        self._deep = 0
        self.assignments = [
            *assignments(self.nodes),
            *self._class_attributes(),
            *registered(self.nodes),
        ]
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
            for target, value in assignments(node.body):
                if isinstance(target, ast.Name):
                    for owner in ("self", "cls", name):
                        yield ast.Attribute(ast.Name(owner), target.id), value

    def dotted(self, node: ast.expr) -> str | None:
        """The full dotted name that an expression is imported from, or None."""
        known = self._meanings.get(id(node))
        if known is None:
            self._meanings[id(node)] = (node, None)  # an alias of itself stands for nothing
            self._deep += 1
            found = self._resolve(node) if self._deep < _DEEPEST else None
            self._deep -= 1
            known = self._meanings[id(node)] = (node, found)
        return known[1]

    def may_be(self, node: ast.expr) -> str | None:
        """Some imported thing that an expression can stand for, such as one that a loop goes over."""
        found = (self.dotted(value) for value in self.values.get(path(node) or "", ())[:_MOST_ALIASES])
        return self.dotted(node) or next(filter(None, found), None)

    def meaning(self, node: ast.expr) -> str | None:
        """The same, and ``builtins.open`` for a name that the module does not define itself."""
        if isinstance(node, ast.Name) and node.id not in self.bound:
            return f"builtins.{node.id}"
        return self.dotted(node)

    @functools.cached_property
    def jitted(self) -> dict[str, ast.FunctionDef]:
        """Functions that Triton compiles (`_inspect_jit` sees to it that none of them runs as Python)."""
        wrapped = {
            value.id
            for node in self.nodes
            if isinstance(node, ast.Call) and self.dotted(node.func) in JITS
            for value in node.args
            if isinstance(value, ast.Name)
        }
        return {
            name: node
            for name, node in self.functions.items()
            if isinstance(node, ast.FunctionDef)
            and (name in wrapped or any(map(self._is_jit, node.decorator_list)))
        }

    def _is_jit(self, node: ast.expr) -> bool:
        """``@triton.jit``, plain or with arguments, under whatever name it was imported."""
        return self.dotted(node.func if isinstance(node, ast.Call) else node) in JITS

    @functools.cached_property
    def bound(self) -> set[str]:
        """Every name that the module gives a meaning somewhere."""
        stored = {node.id for node in self.nodes if isinstance(node, ast.Name) and _is_bound(node)}
        arguments = {node.arg for node in self.nodes if isinstance(node, ast.arg)}
        return stored | arguments | {*self.imports, *self.functions, *self.classes}

    @functools.cached_property
    def declared_global(self) -> set[str]:
        """Names that some function declares global."""
        return {name for node in self.nodes if isinstance(node, ast.Global) for name in node.names}

    def _resolve(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else self._alias(path(node))
        if isinstance(node, ast.Subscript):
            return self._item(node.value, node.slice)
        return self._called(node) if isinstance(node, ast.Call) else None

    def _name(self, name: str) -> str | None:
        if name in self.imports:
            return self.imports[name]
        if name in self.functions or name in self.classes:
            return None
        if self.starred and (name in COMPUTING or name in ("load", "load_inline", "cpp", "nn")):
            return f"{self.starred[0]}.{name}"
        return self._alias(name)

    def _alias(self, name: str | None) -> str | None:
        """What a name stands for that is only ever assigned one and the same imported thing."""
        values = [value for value in self.values.get(name, ()) if not _is_none(value)] if name else []
        if not 0 < len(values) <= _MOST_ALIASES:
            return None
        found = {self.dotted(value) for value in values}
        return found.pop() if len(found) == 1 else None

    def _called(self, node: ast.Call) -> str | None:
        """``getattr(torch, "relu")``, ``__import__("torch")`` and other calls that only fetch a thing."""
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, name, *_]):
                return _joined(self.dotted(owner), self.text(name))
            case ast.Call(func=ast.Name(id="__import__"), args=[name, *_]):
                return (self.text(name) or "").split(".")[0] or None
            case ast.Call(func=ast.Attribute(value=owner, attr="get" | "__getitem__"), args=[name, *_]):
                return self._item(owner, name)
            case ast.Call(func=ast.Call(func=maker, args=[name]), args=[owner]):
                fetches = self.dotted(maker) == "operator.attrgetter"
                return _joined(self.dotted(owner), self.text(name)) if fetches else None
            case ast.Call(args=[name, *_]) if self.dotted(node.func) == "importlib.import_module":
                return self.text(name)
        return None

    def _item(self, owner: ast.expr, key: ast.expr) -> str | None:
        """``sys.modules["torch"]``, ``vars(torch)["relu"]``, ``globals()["torch"]``."""
        match owner:
            case (
                ast.Call(func=ast.Name(id="vars"), args=[module])
                | ast.Attribute(value=module, attr="__dict__")
            ):
                return _joined(self.dotted(module), self.text(key))
            case ast.Call(func=ast.Name(id="globals" | "locals")):
                return self._name(self.text(key) or "")
            case ast.Name(id="__builtins__"):
                return _joined("builtins", self.text(key))
            case ast.Attribute(attr="modules") if self.dotted(owner) == "sys.modules":
                return self.text(key)
        return None

    def text(self, node: ast.expr) -> str | None:
        """The string that an expression of constants is, or None."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if id(node) not in self._texts:
            self._texts[id(node)] = (node, None)
            found = self._folded(node) if self._deep < _DEEPEST else None
            self._texts[id(node)] = (node, found if found and len(found) <= _LONGEST_TEXT else None)
        return self._texts[id(node)][1]

    def _folded(self, node: ast.expr) -> str | None:
        self._deep += 1
        try:
            match node:
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    return _glued("", [self.text(left), self.text(right)])
                case ast.Subscript(
                    value=value, slice=ast.Slice(step=ast.UnaryOp(ast.USub(), ast.Constant(1)))
                ):
                    return (self.text(value) or "")[::-1]
                case ast.Call(func=ast.Attribute(value=ast.Constant(str(glue)), attr="join"), args=[parts]):
                    return _glued(glue, [self.text(part) for part in getattr(parts, "elts", [])])
                case ast.Name(id=name) if len(self.values.get(name, ())) == 1:
                    return self.text(self.values[name][0])
            return None
        finally:
            self._deep -= 1

    def within(self, function: Function) -> list[ast.AST]:
        """All nodes of a function, itself first."""
        if id(function) not in self._within:
            self._within[id(function)] = list(ast.walk(function))
        return self._within[id(function)]

    def bindings(self, function: Function) -> list[tuple[ast.expr, ast.expr]]:
        """Pairs (target, value) of all that a function assigns."""
        if id(function) not in self._bindings:
            self._bindings[id(function)] = list(assignments(self.within(function)))
        return self._bindings[id(function)]

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


def _is_bound(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _glued(glue: str, texts: list[str | None]) -> str | None:
    known = [text for text in texts if text is not None]
    return glue.join(known) if known and len(known) == len(texts) else None


def _joined(owner: str | None, name: str | None) -> str | None:
    return f"{owner}.{name}" if owner and name else None
