"""Outputs, inputs and counts that outlive a call, in attributes, globals and defaults (``memory``).

Fine, and told apart from these: a workspace that is not returned; weights packed once, under the address
and version of a parameter; tables and handles by shape and dtype; and outputs that are merely kept as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from kernelopt.languages._inspect_assignments import assignments
from kernelopt.languages._inspect_identity import Identity
from kernelopt.languages._inspect_outputs import Outputs
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._inspect_state import State
from kernelopt.languages._names import Function, Names, path

_CLOCKS = frozenset(
    f"time.{name}{unit}"
    for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time")
    for unit in ("", "_ns")
)
_CACHES = ("functools.lru_cache", "functools.cache")


class Memory:
    """Looks at what the functions of a call keep and find again."""

    def __init__(self, names: Names, reach: Reach, report: Report):
        self._names, self._reach, self._report = names, reach, report
        self._state = State(names)
        self._outputs = Outputs(names, reach, self._state)

    def look(self) -> None:
        """Report outputs that were there before, keys made of inputs, counters, and inputs that are kept."""
        for line, where in islice(self._outputs.remembered(), 8):
            self._report.add("memory", line, f"the output may be {where}, which an earlier call left there")
        start = self._reach.callees.start
        if start and any(map(self._is_cache, _decorators(start[1]))):
            self._add(start[1], "forward remembers its results by the identity of its inputs")
        counters = self._counters()
        for cls, function in self._reach.calls:
            identity = Identity(self._names, self._reach, self._state, function)
            for node in self._reach.running(function):
                self._keys(node, identity, cls)
                self._counted(node, counters, function)
            self._keeps(function, identity)

    def _add(self, node: ast.AST, what: str) -> None:
        self._report.add("memory", getattr(node, "lineno", 0), what)

    # Keys

    def _keys(self, node: ast.AST, identity: Identity, cls: str | None) -> None:
        if isinstance(node, ast.Compare | ast.Subscript | ast.Call):
            what = identity.looked_up(node)
            if what:
                self._add(node, f"{what} is found by an input's address, identity or content")
        if isinstance(node, ast.Call) and any(identity.is_tensor(value) for value in node.args):
            for _, called in self._reach.callees.reached(node.func, cls):
                if any(map(self._is_cache, _decorators(called))):
                    self._add(
                        node, f"{ast.unparse(node.func)[:40]} caches results by the identity of a tensor"
                    )

    def _is_cache(self, node: ast.expr) -> bool:
        function = node.func if isinstance(node, ast.Call) else node
        return self._names.dotted(function) in _CACHES

    # Counters

    def _counters(self) -> set[str]:
        """State that each call makes one larger."""
        found = set()
        for _, function in self._reach.calls:
            for node in self._reach.running(function):
                match node:
                    case ast.AugAssign(target=target, op=ast.Add() | ast.Sub(), value=ast.Constant()):
                        found.add(self._state.path(target, function))
                    case ast.Assign(targets=[target], value=ast.BinOp(left=left, right=ast.Constant())):
                        if path(target) == path(left):
                            found.add(self._state.path(target, function))
        return {name for name in found if name}

    def _counted(self, node: ast.AST, counters: set[str], function: Function) -> None:
        """Decisions by the number of a call; asking for the first one is fine."""
        tests = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While) else []
        for part in (part for test in tests for part in ast.walk(test)):
            sides: list[ast.expr] = []
            match part:
                case ast.Compare():
                    sides = [part.left, *part.comparators]
                case ast.BinOp(left=left, op=ast.Mod() | ast.BitAnd()):  # every other call, say
                    sides = [left]
            if sides:
                named = {self._state.path(each, function) for side in sides for each in _names_in(side)}
                if named & counters and not any(_is_first(side) for side in sides):
                    self._add(
                        node, f"{min(filter(None, named & counters))} counts calls, and this depends on it"
                    )

    # What is kept

    def _keeps(self, function: Function, identity: Identity) -> None:
        nodes = list(self._reach.running(function))
        for target, value in assignments(nodes):
            where = self._state.path(target, function)
            if where and any(identity.is_tensor(part) for part in _parts(value)):
                self._add(value, f"{where} keeps an input beyond the call")
            elif where and self._is_clock(value, function):
                self._add(value, f"{where} keeps the time of this call for a later one")

    def _is_clock(self, node: ast.expr, function: Function) -> bool:
        if isinstance(node, ast.Call):
            return self._names.dotted(node.func) in _CLOCKS
        if not isinstance(node, ast.Name):
            return False
        values = [value for target, value in self._names.bindings(function) if path(target) == node.id]
        return any(isinstance(value, ast.Call) and self._is_clock(value, function) for value in values)


def _decorators(function: Function) -> list[ast.expr]:
    return [] if isinstance(function, ast.Lambda) else function.decorator_list


def _names_in(node: ast.expr) -> Iterator[ast.expr]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name | ast.Attribute):
            yield part


def _is_first(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (0, 1, None)


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """An expression, and what stands in it if it is a tuple, list or dict."""
    yield node
    if isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            yield from _parts(part)
    elif isinstance(node, ast.Dict):
        for part in node.values:
            yield from _parts(part)
    elif isinstance(node, ast.Starred):
        yield from _parts(node.value)
