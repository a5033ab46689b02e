"""Which functions of a module an expression stands for: a name, an attribute, a layer, a class."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_families import class_tables, derives, makes
from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_prepared import constructing
from kernelopt.languages._names import Function, Names, path

ENTRIES = ("forward", "__call__", "_call_impl", "__getattr__", "__getattribute__", "__torch_function__")
"""Methods of the model that a call of it runs without naming them."""
CALLED = ("forward", "_call_impl")
"""What calling a layer runs, also where an object is given another one."""

_SUBMODULES = ("children", "named_children", "modules", "named_modules", "_modules", "get_submodule")
"""Attributes of a module through which it calls submodules without naming them."""

_MOST_NAMED = 50
"""Values of one name that are looked at."""

Method = tuple[str | None, Function]
"""A function, and the class it is a method of."""


class Callees:
    """What may be called by which expression, and which class the model is."""

    def __init__(self, names: Names):
        self._names = names
        tables = class_tables(names)
        self._objects = {name: Holders(names, makes(name, names, tables[name])) for name in names.classes}
        self.constructing = constructing(names)
        """Functions that run while the model is made: their identities."""
        self._layers: dict[str, list[Method]] = {}
        self.owner = self._model()
        """The class of the model."""
        self.bases = {base for base in names.classes if self.owner and derives(names, self.owner, base)}
        """Classes of this module that it inherits from, itself among them."""
        self.is_chain = self._is_chain()
        """Whether the model is a Sequential, whose forward is that of its layers."""
        self.start = self._start()
        """The method that a call runs."""

    def is_own(self, function: ast.Attribute, cls: str | None) -> bool:
        """Whether what is called like a tensor's method is one of this module's, or a layer of its own."""
        owner = cls if path(function.value) in ("self", "cls") else path(function.value)
        if self._names.method(owner, function.attr) or self._is_layer(path(function)):
            return True
        return any(objects.holds(function.value) for objects in self._objects.values())

    def _is_layer(self, where: str | None) -> bool:
        """Whether ``self.linear`` is a function, or of a class of this module that has a forward."""
        kinds = [name for name, objects in self._objects.items() if where in objects.paths]
        if any(self._names.method(name, called) for name in kinds for called in ("forward", "__call__")):
            return True
        values = self._names.values.get(where, ()) if where and where.startswith("self.") else ()
        return bool(values) and all(map(self._is_function, values))

    def _is_function(self, value: ast.expr) -> bool:
        """A function of this module, which is followed, or ``functools.partial`` of one."""
        if isinstance(value, ast.Call) and self._names.dotted(value.func) == "functools.partial":
            return self._is_function(value.args[0]) if value.args else False
        known = isinstance(value, ast.Name) and value.id in self._names.functions
        return isinstance(value, ast.Lambda) or known

    def _model(self) -> str | None:
        """The class behind the name ModelNew."""
        if "ModelNew" in self._names.classes:
            return "ModelNew"
        made = [*self._names.values.get("ModelNew", ()), *_returned(self._names.functions.get("ModelNew"))]
        found = [path(value.func) if isinstance(value, ast.Call) else path(value) for value in made]
        return next((name for name in found if name in self._names.classes), None)

    def _start(self) -> Method | None:
        """The method that a call runs, written in the class, a base of this module, or assigned."""
        if self.owner is None:
            return None
        written = self._names.method(self.owner, "forward") or self._names.method(self.owner, "__call__")
        layers = self.submodules(self.owner) if self.is_chain else []
        return written or next(self.assigned("forward"), None) or next(iter(layers), None)

    def _is_chain(self) -> bool:
        bases = [base for cls in self.bases for base in self._names.classes[cls].bases]
        own = self.owner and self._names.method(self.owner, "forward")
        return not own and any(self._names.dotted(base) == "torch.nn.Sequential" for base in bases)

    def assigned(self, name: str) -> Iterator[Method]:
        """What ``self.forward = f`` or ``ModelNew.forward = f`` puts in place of a method."""
        for owner in ("self", self.owner):
            for value in self._names.values.get(f"{owner}.{name}", ()):
                yield from self.named(value, self.owner)

    def named(self, value: ast.expr, cls: str | None) -> Iterator[Method]:
        """The function that an expression names."""
        if isinstance(value, ast.Lambda):
            yield cls, value
        elif isinstance(value, ast.Name) and value.id in self._names.jitted:
            return
        elif isinstance(value, ast.Name) and value.id in self._names.functions:
            yield None, self._names.functions[value.id]
        elif isinstance(value, ast.Attribute) and path(value.value) in ("self", "cls", cls):
            method = self._names.method(self.bound(cls), value.attr)
            yield from [method] if method else []
        elif isinstance(value, ast.Call):  # types.MethodType(f, self), functools.partial(f, ...)
            for part in value.args[:2]:
                yield from self.named(part, cls) if not isinstance(part, ast.Call) else ()

    def reached(self, node: ast.AST, cls: str | None) -> Iterator[Method]:
        """Functions that may run because `node` stands in a method of `cls` that runs."""
        if isinstance(node, ast.Name):
            if node.id in self._names.jitted:
                return
            if node.id in self._names.functions:
                yield None, self._names.functions[node.id]
            elif node.id in self._names.classes:
                yield from self.methods(node.id)
            else:
                yield from self._kept(node, cls)
        elif isinstance(node, ast.Attribute):
            yield from self._attribute(node, cls)
        elif isinstance(node, ast.Call) and path(node.func) == "getattr":
            yield from self.submodules(cls) if path(node.args[0] if node.args else node) == "self" else ()
        where = path(node) if isinstance(node, ast.Name | ast.Attribute) else None
        for name, objects in self._objects.items():
            if where in objects.paths:
                yield from [each for each in self.methods(name) if id(each[1]) not in self.constructing]

    def _attribute(self, node: ast.Attribute, cls: str | None) -> Iterator[Method]:
        if path(node.value) in ("self", "cls"):
            method = self._names.method(self.bound(cls), node.attr)
            yield from [method] if method else []
            yield from self.submodules(cls) if node.attr in _SUBMODULES else ()
        elif is_super(node.value) and cls:
            found = [self._names.method(base, node.attr) for base in self._names.bases(cls)]
            yield from [method for method in found if method]
        yield from self._kept(node, cls)

    def bound(self, cls: str | None) -> str | None:
        """The class of ``self`` in a method of `cls`: the model's, where it inherits the method."""
        return self.owner if cls in self.bases else cls

    def submodules(self, cls: str | None) -> list[Method]:
        """What may be called of layers of this module that a class makes."""
        owner = self.bound(cls) or ""
        if owner not in self._layers:
            made = self._names.classes.get(owner)
            calls = [part for part in ast.walk(made) if isinstance(part, ast.Call)] if made else []
            kinds = [name for name, objects in self._objects.items() if any(map(objects.holds, calls))]
            methods = [each for name in kinds for each in self.methods(name)]
            self._layers[owner] = [each for each in methods if name_of(each[1]) in ENTRIES]
        return self._layers[owner]

    def _kept(self, node: ast.Name | ast.Attribute, cls: str | None) -> Iterator[Method]:
        """A function under another name: ``self.step = helper``, ``act = lambda v: ...``."""
        where = path(node)
        places = (where, *(f"{where}.{each}" for each in CALLED))
        values = [value for each in places for value in self._names.values.get(each, ())]
        for value in values[:_MOST_NAMED]:
            if isinstance(value, ast.Name) or self._is_function(value):
                yield from self.named(value, cls)

    def methods(self, cls: str) -> Iterator[Method]:
        for node in self._names.classes[cls].body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "backward":
                yield cls, node


def _returned(function: Function | None) -> list[ast.expr]:
    nodes = ast.walk(function) if function else ()
    return [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]


def is_super(node: ast.expr) -> bool:
    """Whether an expression is ``super()``."""
    return isinstance(node, ast.Call) and path(node.func) == "super"


def name_of(function: Function) -> str:
    """The name of a function, empty for a lambda."""
    return "" if isinstance(function, ast.Lambda) else function.name
