"""Work on a GPU that a call does not wait for, and graphs that do not know the call's inputs (``streams``).

A stream of one's own is fine where something waits for it: ``current.wait_stream(side)``, an event, or a
synchronisation behind its last use. A graph is fine where the call puts its inputs into it first.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._names import Function, Names

_STREAMS = ("torch.cuda.Stream", "torch.cuda.streams.Stream", "torch.Stream", "cupy.cuda.Stream")
_EVENTS = ("torch.cuda.Event", "torch.cuda.streams.Event", "torch.Event", "cupy.cuda.Event")
_GRAPHS = ("torch.cuda.CUDAGraph", "torch.cuda.graphs.CUDAGraph")
_ENTERED = ("torch.cuda.stream", "torch.cuda.StreamContext")
_DEVICE = ("torch.cuda.synchronize", "cupy.cuda.Device")
_CALLBACKS = ("launch_host_func", "add_callback")
_SETTING = ("torch.cuda.set_stream", "torch.cuda.streams.set_stream")
_NOT_READING = frozenset(
    (
        *("empty_like", "zeros_like", "ones_like", "data_ptr", "isinstance", "len", "id", "print", "str"),
        *("shape", "size", "numel", "dim", "ndim", "stride", "dtype", "device", "is_contiguous"),
    )
)
"""Calls and attributes that do not pass on what a tensor holds."""


class Streams:
    """Looks at streams, events, callbacks and graphs of one module."""

    def __init__(self, names: Names, live: list[ast.AST], reach: Reach, report: Report):
        self._names, self._live, self._reach, self._report = names, live, reach, report

    @functools.cached_property
    def _streams(self) -> Holders:
        return Holders(self._names, lambda node: self._makes(node, _STREAMS))

    @functools.cached_property
    def _events(self) -> Holders:
        return Holders(self._names, lambda node: self._makes(node, _EVENTS))

    @functools.cached_property
    def _graphs(self) -> Holders:
        return Holders(self._names, lambda node: self._makes(node, _GRAPHS))

    def look(self) -> None:
        """Report what is left running, what is put off, and replays without inputs."""
        made = [node for node in self._live if isinstance(node, ast.Call) and self._makes(node, _STREAMS)]
        if made and not any(map(self._joins, self._live)):
            self._add(made[0], "nothing waits for what runs on this stream")
        for node in self._live:
            if isinstance(node, ast.Call):
                self._called(node)
        if any(isinstance(node, ast.Call) and self._makes(node, _GRAPHS) for node in self._live):
            self._replays()

    def _add(self, node: ast.AST, what: str) -> None:
        self._report.add("streams", getattr(node, "lineno", 0), what)

    def _makes(self, node: ast.expr, what: tuple[str, ...]) -> bool:
        return isinstance(node, ast.Call) and self._names.dotted(node.func) in what

    def _called(self, node: ast.Call) -> None:
        if self._names.dotted(node.func) in _SETTING:
            self._add(node, "the caller's current stream is changed")
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _CALLBACKS:
            self._add(node, f"{node.func.attr} puts work off to a thread of the driver")

    # Joins

    def _joins(self, node: ast.AST) -> bool:
        """Whether something waits for a stream of the module's own."""
        match node:
            case ast.Call(func=ast.Attribute(attr="wait_stream"), args=[other]):
                return self._streams.holds(other)
            case ast.Call(func=ast.Attribute(value=waiting, attr="wait_event")):
                return not self._streams.holds(waiting)
            case ast.Call(func=ast.Attribute(value=event, attr="wait"), args=args):
                return self._events.holds(event) and not any(map(self._streams.holds, args))
            case ast.Call(func=ast.Attribute(value=waited, attr="synchronize")):
                whole = (self._names.dotted(node.func) or "").startswith(_DEVICE)
                return self._is_last(node) if whole else self._is_ours(waited)
        return False

    def _is_ours(self, node: ast.expr) -> bool:
        return self._streams.holds(node) or self._events.holds(node)

    def _is_last(self, node: ast.Call) -> bool:
        """Whether no stream is entered behind it in the text."""
        entered = (part.lineno for part in self._live if isinstance(part, ast.Call) and self._enters(part))
        return node.lineno > max(entered, default=0)

    def _enters(self, node: ast.Call) -> bool:
        return self._names.dotted(node.func) in _ENTERED

    # Graphs

    def _replays(self) -> None:
        """A replay in code of a call that hands its inputs to nothing, there or in `forward`."""
        replays: list[ast.AST] = []
        reads = False
        for index, (_, function) in enumerate(self._reach.calls):
            nodes = list(self._each_time(function))
            here = [node for node in nodes if self._is_replay(node)]
            replays += here
            if here or index == 0:
                held = self._inputs(function)
                reads |= any(_hands_on(node, held) for node in nodes)
        if replays and not reads:
            self._add(replays[0], "a graph is replayed, and nothing of this call's inputs is copied into it")

    def _inputs(self, function: Function) -> set[str]:
        """What a function was given, and names for views and copies of it."""
        held = {arg.arg for arg in (*function.args.posonlyargs, *function.args.args)} - {"self", "cls"}
        for target, value in self._names.bindings(function):
            if isinstance(target, ast.Name) and _reads(value, held):
                held.add(target.id)
        return held

    def _is_replay(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Attribute(value=graph, attr="replay")):
                return self._graphs.holds(graph)
        return False

    def _each_time(self, function: Function) -> Iterator[ast.AST]:
        """What runs in every call: not the block that captures a graph where there is none."""
        waiting: list[ast.AST] = [*function.body] if not isinstance(function, ast.Lambda) else [function.body]
        for node in waiting:
            yield node
            captures = isinstance(node, ast.If) and self._asks_for_graph(node.test)
            waiting += node.orelse if captures and isinstance(node, ast.If) else ast.iter_child_nodes(node)

    def _asks_for_graph(self, test: ast.expr) -> bool:
        parts = [part for part in ast.walk(test) if isinstance(part, ast.Name | ast.Attribute)]
        return any(isinstance(part, ast.Is) for part in ast.walk(test)) and any(
            map(self._graphs.holds, parts)
        )


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _hands_on(node: ast.AST, held: set[str]) -> bool:
    """Whether a call is given something of these names and may read it."""
    if not isinstance(node, ast.Call) or _name(node.func) in _NOT_READING:
        return False
    return any(_reads(arg, held) for arg in node.args)


def _reads(node: ast.AST, held: set[str]) -> bool:
    """Whether what these names hold is in an expression, not merely how large it is."""
    if isinstance(node, ast.Call | ast.Attribute):
        asked = _name(node.func) if isinstance(node, ast.Call) else node.attr
        if asked in _NOT_READING:
            return False
    if isinstance(node, ast.Name):
        return node.id in held
    return any(_reads(part, held) for part in ast.iter_child_nodes(node))
