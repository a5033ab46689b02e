"""Which functions of a module run when the judge calls its model."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator

from kernelopt.languages._inspect_data import Data, carries, passed
from kernelopt.languages._inspect_families import class_tables, derives, found_by_base, makes
from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_hooks import hooks, runs_once
from kernelopt.languages._inspect_live import is_never, switched_off
from kernelopt.languages._inspect_prepared import (
    absent,
    constructing,
    early_return,
    fills_cache,
    is_remembered,
    only_filling,
)
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


class Reach:
    """The call graph, as far as the text shows it; code that is never reached is not in it."""

    def __init__(self, names: Names):
        self._names = names
        tables = class_tables(names)
        self._objects = {name: Holders(names, makes(name, names, tables[name])) for name in names.classes}
        self._constructing = constructing(names)
        self._off = switched_off(names)
        self._layers: dict[str, list[Method]] = {}
        self.owner = self._model()
        self._bases = {base for base in names.classes if self.owner and derives(names, self.owner, base)}
        self.is_chain = self._is_chain()
        """Whether the model is a Sequential, whose forward is that of its layers."""
        self.start = self._start()
        self._running: dict[int, list[ast.AST]] = {}
        self.data = Data(names)
        self._classes = {id(part): name for name, node in names.classes.items() for part in node.body}
        self._spread(list(self._all(names.within)))
        self._constructing |= self._only_filling()
        self.calls = list(self._all(self.running))
        """Functions that a call runs, the entry first."""

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

    @functools.cached_property
    def kept(self) -> set[str]:
        """Attributes and globals in which functions that a call runs, but constructors, keep its data."""
        running = (each for _, each in self._all(self._names.within) if id(each) not in self._constructing)
        globals_ = self._names.declared_global
        return {
            name
            for each in running
            for name in (*self.data.held(each), *self._written(each))
            if "." in name or name in globals_
        }

    def _written(self, function: Function) -> Iterator[str]:
        """What is filled in place: ``self.space.copy_(x)``."""
        held = self.data.held(function)
        for node in self._names.within(function):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=[*_, value]):
                    if attr.endswith("_") and carries(value, held):
                        yield path(owner) or ""

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
        layers = self._submodules(self.owner) if self.is_chain else []
        return written or next(self._assigned("forward"), None) or next(iter(layers), None)

    def _is_chain(self) -> bool:
        bases = [base for cls in self._bases for base in self._names.classes[cls].bases]
        own = self.owner and self._names.method(self.owner, "forward")
        return not own and any(self._names.dotted(base) == "torch.nn.Sequential" for base in bases)

    def running(self, function: Function) -> list[ast.AST]:
        """What runs in a function: not dead branches, nor blocks that prepare weights or tables once."""
        if id(function) not in self._running:
            held = self.data.held(function)
            remembered = is_remembered(function, self._names, held, self.kept)
            fills = functools.partial(self._fills, function)
            self._running[id(function)] = [] if remembered else _running(function, fills, self._off)
        return self._running[id(function)]

    def _fills(self, function: Function, block: ast.If) -> bool:
        """Whether a block of a function fills a cache, itself or by methods of the same object."""

        def method(name: str) -> tuple[Function, set[str]] | None:
            found = self._names.method(self._bound(self._classes.get(id(function))), name)
            return (found[1], self.data.held(found[1]) | self.kept) if found else None

        return fills_cache(block, self.data.held(function) | self.kept, method)

    def _only_filling(self) -> set[int]:
        """Methods of objects that only fill caches."""
        methods = [each for name in self._names.classes for _, each in self._methods(name)]
        pairs = ((each, node) for each in methods for node in self._names.within(each))
        tests = ((each, node if isinstance(node, ast.If) else absent(node)) for each, node in pairs)
        blocks = [block for each, block in tests if block is not None and self._fills(each, block)]
        return only_filling(self._names, blocks, self._constructing) if blocks else set()

    def _spread(self, calls: list[Method]) -> None:
        """Follow data through calls until nothing new is reached."""
        entries = {id(function) for _, function in calls[:1]}
        seen, waiting = set(entries), calls[:1]
        for cls, function in waiting:
            held = self.data.held(function)
            for node in (part for part in self._names.within(function) if isinstance(part, ast.Call)):
                for method in self.reached(node.func, cls):
                    key = id(method[1])
                    news = key not in entries and self.data.give(method[1], passed(node, method[1], held))
                    if news or key not in seen:
                        seen.add(key)
                        waiting.append(method)

    def _all(self, nodes: Callable[[Function], list[ast.AST]]) -> Iterator[Method]:
        queue = [self.start] if self.start else []
        if queue and self.owner:
            queue += filter(None, (self._names.method(self.owner, name) for name in ENTRIES))
            queue += [*self._assigned("forward"), *self._hooked()]
            queue += self._submodules(self.owner) if self.is_chain else []
            made = self._names.classes[self.owner]
            queue += self._wrapping(
                [*made.decorator_list, *(each.value for each in made.keywords)], self.owner
            )
        queue += self._found()
        seen: set[int] = set()
        while queue:
            cls, function = queue.pop(0)
            if id(function) in seen:
                continue
            seen.add(id(function))
            yield cls, function
            for node in nodes(function):
                queue += self.reached(node, cls)
            if not isinstance(function, ast.Lambda):
                queue += self._wrapping(function.decorator_list, cls)

    def _found(self) -> list[Method]:
        """Methods of classes that are found through a base, by whatever way they are called then."""
        families = found_by_base(self._names) - self._bases if self.start else set()
        methods = [each for name in self._names.classes if name in families for each in self._methods(name)]
        return [each for each in methods if id(each[1]) not in self._constructing]

    def _wrapping(self, decorators: list[ast.expr], cls: str | None) -> list[Method]:
        """Functions that decorators, or a metaclass, may put around what they are given."""
        return [one for each in decorators for node in ast.walk(each) for one in self.reached(node, cls)]

    def _assigned(self, name: str) -> Iterator[Method]:
        """What ``self.forward = f`` or ``ModelNew.forward = f`` puts in place of a method."""
        for owner in ("self", self.owner):
            for value in self._names.values.get(f"{owner}.{name}", ()):
                yield from self._named(value, self.owner)

    def _hooked(self) -> Iterator[Method]:
        """Functions registered to run before or after forward, but for what does so once only."""
        made = [each for name in self._names.classes for _, each in self._methods(name)]
        made = [each for each in made if id(each) in self._constructing]
        constructors = {id(node) for each in made for node in self._names.within(each)}
        for hook, handles in hooks(self._names, constructors):
            yield from (each for each in self._named(hook, self.owner) if not runs_once(each[1], handles))

    def _named(self, value: ast.expr, cls: str | None) -> Iterator[Method]:
        """The function that an expression names."""
        if isinstance(value, ast.Lambda):
            yield cls, value
        elif isinstance(value, ast.Name) and value.id in self._names.jitted:
            return
        elif isinstance(value, ast.Name) and value.id in self._names.functions:
            yield None, self._names.functions[value.id]
        elif isinstance(value, ast.Attribute) and path(value.value) in ("self", "cls", cls):
            method = self._names.method(self._bound(cls), value.attr)
            yield from [method] if method else []
        elif isinstance(value, ast.Call):  # types.MethodType(f, self), functools.partial(f, ...)
            for part in value.args[:2]:
                yield from self._named(part, cls) if not isinstance(part, ast.Call) else ()

    def reached(self, node: ast.AST, cls: str | None) -> Iterator[Method]:
        """Functions that may run because `node` stands in a method of `cls` that runs."""
        if isinstance(node, ast.Name):
            if node.id in self._names.jitted:
                return
            if node.id in self._names.functions:
                yield None, self._names.functions[node.id]
            elif node.id in self._names.classes:
                yield from self._methods(node.id)
            else:
                yield from self._kept(node, cls)
        elif isinstance(node, ast.Attribute):
            yield from self._attribute(node, cls)
        elif isinstance(node, ast.Call) and path(node.func) == "getattr":
            yield from self._submodules(cls) if path(node.args[0] if node.args else node) == "self" else ()
        where = path(node) if isinstance(node, ast.Name | ast.Attribute) else None
        for name, objects in self._objects.items():
            if where in objects.paths:
                yield from [each for each in self._methods(name) if id(each[1]) not in self._constructing]

    def _attribute(self, node: ast.Attribute, cls: str | None) -> Iterator[Method]:
        if path(node.value) in ("self", "cls"):
            method = self._names.method(self._bound(cls), node.attr)
            yield from [method] if method else []
            yield from self._submodules(cls) if node.attr in _SUBMODULES else ()
        elif is_super(node.value) and cls:
            found = [self._names.method(base, node.attr) for base in self._names.bases(cls)]
            yield from [method for method in found if method]
        yield from self._kept(node, cls)

    def _bound(self, cls: str | None) -> str | None:
        """The class of ``self`` in a method of `cls`: the model's, where it inherits the method."""
        return self.owner if cls in self._bases else cls

    def _submodules(self, cls: str | None) -> list[Method]:
        """What may be called of layers of this module that a class makes."""
        owner = self._bound(cls) or ""
        if owner not in self._layers:
            made = self._names.classes.get(owner)
            calls = [part for part in ast.walk(made) if isinstance(part, ast.Call)] if made else []
            kinds = [name for name, objects in self._objects.items() if any(map(objects.holds, calls))]
            methods = [each for name in kinds for each in self._methods(name)]
            self._layers[owner] = [each for each in methods if name_of(each[1]) in ENTRIES]
        return self._layers[owner]

    def _kept(self, node: ast.Name | ast.Attribute, cls: str | None) -> Iterator[Method]:
        """A function under another name: ``self.step = helper``, ``act = lambda v: ...``."""
        where = path(node)
        places = (where, *(f"{where}.{each}" for each in CALLED))
        values = [value for each in places for value in self._names.values.get(each, ())]
        for value in values[:_MOST_NAMED]:
            if isinstance(value, ast.Name) or self._is_function(value):
                yield from self._named(value, cls)

    def _methods(self, cls: str) -> Iterator[Method]:
        for node in self._names.classes[cls].body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "backward":
                yield cls, node


def _running(function: Function, fills: Callable[[ast.If], bool], off: set[str]) -> list[ast.AST]:
    queue: list[ast.AST] = [*function.body] if not isinstance(function, ast.Lambda) else [function.body]
    found = early_return(function)
    if found is not None and fills(found):
        queue = [each for each in queue if each not in found.body]
    for node in queue:
        if isinstance(node, ast.If) and is_never(node.test, off):
            queue += node.orelse
        elif isinstance(node, ast.If) and fills(node):
            queue += [node.test, *node.orelse]
        elif isinstance(node, ast.Try) and (block := absent(node)) is not None and fills(block):
            queue += [*node.body, *node.orelse, *node.finalbody]
        else:
            queue += ast.iter_child_nodes(node)
    return queue


def _returned(function: Function | None) -> list[ast.expr]:
    nodes = ast.walk(function) if function else ()
    return [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]


def is_super(node: ast.expr) -> bool:
    """Whether an expression is ``super()``."""
    return isinstance(node, ast.Call) and path(node.func) == "super"


def name_of(function: Function) -> str:
    """The name of a function, empty for a lambda."""
    return "" if isinstance(function, ast.Lambda) else function.name
