"""Which functions of a module run when the judge calls its model."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator

from kernelopt.languages._inspect_callees import ENTRIES, Callees, Method
from kernelopt.languages._inspect_data import Data, carries, passed
from kernelopt.languages._inspect_families import found_by_base
from kernelopt.languages._inspect_hooks import hooks, runs_once
from kernelopt.languages._inspect_live import is_never, switched_off
from kernelopt.languages._inspect_prepared import (
    absent,
    early_return,
    fills_cache,
    is_remembered,
    only_filling,
)
from kernelopt.languages._names import Function, Names, path


class Reach:
    """The call graph, as far as the text shows it; code that is never reached is not in it."""

    def __init__(self, names: Names):
        self._names, self.callees = names, Callees(names)
        self._off = switched_off(names)
        self._running: dict[int, list[ast.AST]] = {}
        self.data = Data(names)
        self._classes = {id(part): name for name, node in names.classes.items() for part in node.body}
        self._spread(list(self._all(names.within)))
        self.callees.constructing |= self._only_filling()
        self.calls = list(self._all(self.running))
        """Functions that a call runs, the entry first."""

    @functools.cached_property
    def kept(self) -> set[str]:
        """Attributes and globals in which functions that a call runs, but constructors, keep its data."""
        running = (
            each for _, each in self._all(self._names.within) if id(each) not in self.callees.constructing
        )
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
            found = self._names.method(self.callees.bound(self._classes.get(id(function))), name)
            return (found[1], self.data.held(found[1]) | self.kept) if found else None

        return fills_cache(block, self.data.held(function) | self.kept, method)

    def _only_filling(self) -> set[int]:
        """Methods of objects that only fill caches."""
        methods = [each for name in self._names.classes for _, each in self.callees.methods(name)]
        pairs = ((each, node) for each in methods for node in self._names.within(each))
        tests = ((each, node if isinstance(node, ast.If) else absent(node)) for each, node in pairs)
        blocks = [block for each, block in tests if block is not None and self._fills(each, block)]
        return only_filling(self._names, blocks, self.callees.constructing) if blocks else set()

    def _spread(self, calls: list[Method]) -> None:
        """Follow data through calls until nothing new is reached."""
        entries = {id(function) for _, function in calls[:1]}
        seen, waiting = set(entries), calls[:1]
        for cls, function in waiting:
            held = self.data.held(function)
            for node in (part for part in self._names.within(function) if isinstance(part, ast.Call)):
                for method in self.callees.reached(node.func, cls):
                    key = id(method[1])
                    news = key not in entries and self.data.give(method[1], passed(node, method[1], held))
                    if news or key not in seen:
                        seen.add(key)
                        waiting.append(method)

    def _all(self, nodes: Callable[[Function], list[ast.AST]]) -> Iterator[Method]:
        queue = [self.callees.start] if self.callees.start else []
        if queue and self.callees.owner:
            queue += filter(None, (self._names.method(self.callees.owner, name) for name in ENTRIES))
            queue += [*self.callees.assigned("forward"), *self._hooked()]
            queue += self.callees.submodules(self.callees.owner) if self.callees.is_chain else []
            made = self._names.classes[self.callees.owner]
            queue += self._wrapping(
                [*made.decorator_list, *(each.value for each in made.keywords)], self.callees.owner
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
                queue += self.callees.reached(node, cls)
            if not isinstance(function, ast.Lambda):
                queue += self._wrapping(function.decorator_list, cls)

    def _found(self) -> list[Method]:
        """Methods of classes that are found through a base, by whatever way they are called then."""
        families = found_by_base(self._names) - self.callees.bases if self.callees.start else set()
        methods = [
            each for name in self._names.classes if name in families for each in self.callees.methods(name)
        ]
        return [each for each in methods if id(each[1]) not in self.callees.constructing]

    def _wrapping(self, decorators: list[ast.expr], cls: str | None) -> list[Method]:
        """Functions that decorators, or a metaclass, may put around what they are given."""
        return [
            one for each in decorators for node in ast.walk(each) for one in self.callees.reached(node, cls)
        ]

    def _hooked(self) -> Iterator[Method]:
        """Functions registered to run before or after forward, but for what does so once only."""
        made = [each for name in self._names.classes for _, each in self.callees.methods(name)]
        made = [each for each in made if id(each) in self.callees.constructing]
        constructors = {id(node) for each in made for node in self._names.within(each)}
        for hook, handles in hooks(self._names, constructors):
            yield from (
                each
                for each in self.callees.named(hook, self.callees.owner)
                if not runs_once(each[1], handles)
            )


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
