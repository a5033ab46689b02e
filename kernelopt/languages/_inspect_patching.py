"""Python code that changes what is not its own: modules, classes, tensors, the environment, its own class.

``patching``: attributes of imported things, of tensors, and the model's `forward` while it runs; subclasses
of Tensor. ``process``: environment variables that steer other programs. ``constants``: globals by name.
"""

from __future__ import annotations

import ast

from kernelopt.languages._body import tensors
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._names import Names, path

SETTINGS = ("torch.backends", "torch._dynamo.config", "torch._inductor.config", "torch.compiler")
"""Attributes below these may be assigned: they alter nothing but this process's own PyTorch."""

SECRET_VARIABLES = ("LD_", "PYTHON", "KERNELOPT", "PATH", "HOME", "TMPDIR", "GCC_", "COMPILER_PATH")
"""Beginnings of environment variables that steer other programs. Thread counts and caches are no matter."""

_HANDLERS = ("__torch_function__", "__torch_dispatch__")
"""Methods by which a class takes part in what is done to its objects, comparisons included."""
_TENSORS = ("torch.Tensor", "torch.nn.Parameter", "torch.nn.Buffer", "torch.FloatTensor")
_ENTRIES = ("forward", "__call__", "__class__")
_OWN_OF_TENSORS = ("grad", "data", "requires_grad")
"""Attributes of a tensor that are there to be set."""

Stored = ast.Attribute | ast.Subscript


class Patching:
    """Looks at everything that live code stores to."""

    def __init__(self, names: Names, live: list[ast.AST], reach: Reach, report: Report):
        self._names, self._live, self._reach, self._report = names, live, reach, report

    def look(self) -> None:
        """Report stores, calls of setattr, and classes that stand in for tensors."""
        for node in self._live:
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                self._attribute(node, node.value, node.attr)
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                self._item(node)
            elif isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.ClassDef):
                self._class(node)
        for _, function in self._reach.calls:
            known = tensors(function, self._names)
            for node in self._reach.running(function):
                self._while_running(node, known)

    def _add(self, node: ast.AST, what: str, rule: str = "patching") -> None:
        self._report.add(rule, getattr(node, "lineno", 0), what)

    def _attribute(self, node: ast.AST, owner: ast.expr, name: str | None) -> None:
        module = self._names.may_be(owner)
        if module is not None:
            if not module.startswith(SETTINGS):
                self._add(node, f"{module}.{name} is replaced" if name else f"parts of {module} are replaced")
        elif name == "__class__" or (name in _ENTRIES and not self._is_own(owner)) or self._is_class(owner):
            self._add(node, f"{ast.unparse(owner)[:40]}.{name} is replaced")

    def _is_own(self, owner: ast.expr) -> bool:
        """Whether an expression is the model itself, or a class or object of this module."""
        where = path(owner) or ""
        root = where.split(".")[0]
        return root in ("self", "cls") or root in self._names.classes or where in self._names.values

    def _is_class(self, owner: ast.expr) -> bool:
        """``type(x)`` of something that is not the model itself."""
        match owner:
            case ast.Call(func=ast.Name("type"), args=[thing]) | ast.Attribute(value=thing, attr="__class__"):
                return path(thing) not in ("self", "cls")
        return False

    def _item(self, node: ast.Subscript) -> None:
        match node.value:
            case ast.Attribute(value=owner, attr="__dict__") | ast.Call(func=ast.Name("vars"), args=[owner]):
                if path(owner) not in ("self", "cls"):
                    self._add(node, f"the names inside {ast.unparse(owner)[:40]} are replaced")
            case ast.Call(func=ast.Name("globals")):
                self._add(node, "globals are set by name", "constants")
            case ast.Name("__builtins__"):
                self._add(node, "a built-in function is replaced")
            case ast.Attribute() as owner if self._names.dotted(owner) == "os.environ":
                self._environment(node, node.slice)

    def _call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(func=ast.Name("setattr" | "delattr"), args=[owner, name, *_]):
                self._attribute(node, owner, self._names.text(name))
            case ast.Call(func=ast.Attribute(attr="__setattr__" | "__delattr__"), args=[owner, name, *_]):
                self._attribute(node, owner, self._names.text(name))
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name("globals")), attr="update")):
                self._add(node, "globals are set by name", "constants")
            case ast.Call(func=ast.Attribute(value=owner, attr="setdefault" | "pop"), args=[name, *_]):
                if self._names.dotted(owner) == "os.environ":
                    self._environment(node, name)
            case ast.Call(func=ast.Attribute(value=owner, attr="update"), args=[ast.Dict(keys=keys)]):
                for key in keys if self._names.dotted(owner) == "os.environ" else ():
                    self._environment(node, key)

    def _environment(self, node: ast.AST, name: ast.expr | None) -> None:
        variable = (self._names.text(name) if name else None) or ""
        if variable.startswith(SECRET_VARIABLES):
            self._add(node, f"the environment variable {variable} steers other programs", "process")

    def _class(self, node: ast.ClassDef) -> None:
        bases = [self._names.dotted(base) for base in node.bases]
        if any(base in _TENSORS for base in bases):
            self._add(node, f"{node.name} is a kind of Tensor, and outputs must be plain ones")
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name in _HANDLERS:
                self._add(part, f"{part.name} takes over what is done to tensors")

    def _while_running(self, node: ast.AST, known: set[str]) -> None:
        """The model's own `forward`, and attributes of tensors, replaced during a call."""
        match node:
            case ast.Attribute(value=owner, attr=name, ctx=ast.Store()):
                self._swap(node, owner, name, known)
            case ast.Call(func=ast.Name("setattr"), args=[owner, name, *_]):
                self._swap(node, owner, self._names.text(name), known)

    def _swap(self, node: ast.AST, owner: ast.expr, name: str | None, known: set[str]) -> None:
        if name in _ENTRIES and path(owner) in ("self", "cls"):
            self._add(node, f"the model replaces its own {name} while it runs")
        elif path(owner) in known and isinstance(owner, ast.Name) and name not in _OWN_OF_TENSORS:
            self._add(node, f"the tensor {owner.id} gets an attribute of its own")
