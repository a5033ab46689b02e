"""Where the output of a call comes from."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_assignments import assignments
from kernelopt.languages._inspect_callees import Method, name_of
from kernelopt.languages._inspect_loops import not_last
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._inspect_state import State
from kernelopt.languages._names import Function, Names, path
from kernelopt.languages._operators import words

SHARING = words("""
    view reshape narrow expand expand_as squeeze unsqueeze detach detach_ t transpose permute flatten
    select as_strided contiguous to float double half type unfold chunk split unbind movedim moveaxis
    view_as swapaxes swapdims requires_grad_ resize_ unflatten squeeze_ unsqueeze_ mT T data zero_ fill_
    copy_ set_
""")
"""Methods and attributes whose result may lie in the memory of their tensor."""
_TAKING = words("get pop setdefault popitem popleft __getitem__")
_MOST_STEPS = 2000


class Outputs:
    """Follows what `forward` returns back to where it was made."""

    def __init__(self, names: Names, reach: Reach, state: State):
        self._names, self._reach, self._state = names, reach, state
        self._seen: set[tuple[int, int]] = set()
        self._not_last: dict[int, set[int]] = {}

    def remembered(self) -> Iterator[tuple[int, str]]:
        """(line, state) for each place where an output may be something that was there before the call."""
        if self._reach.callees.start:
            yield from self._returned(self._reach.callees.start)

    def _returned(self, method: Method) -> Iterator[tuple[int, str]]:
        cls, function = method
        if isinstance(function, ast.Lambda):
            yield from self._sources(function.body, cls, function, function.body.lineno)
            return
        for node in self._reach.running(function):
            if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
                yield from self._sources(node.value, cls, function, node.lineno)

    def _sources(
        self, node: ast.expr, cls: str | None, function: Function, line: int
    ) -> Iterator[tuple[int, str]]:
        key = (id(node), id(function))
        if key in self._seen or len(self._seen) > _MOST_STEPS or self._is_overtaken(node, function):
            return
        self._seen.add(key)
        where = self._state.path(node, function)
        if where is not None:
            if not self._is_fresh(node, function, line):
                yield line, where
            return
        for part in _alternatives(node):
            yield from self._sources(part, cls, function, line)
        if isinstance(node, ast.Name):
            for target, value in self._names.bindings(function):
                if isinstance(target, ast.Name) and target.id == node.id:
                    yield from self._sources(value, cls, function, line)
        elif isinstance(node, ast.Call | ast.Attribute):
            called = node.func if isinstance(node, ast.Call) else node
            ways = ((path(called) or "").split(".")[-1], "forward", "__call__", "")
            for method in self._reach.callees.reached(called, cls):
                if name_of(method[1]) in ways and path(called) not in self._names.classes:
                    yield from self._returned(method)

    def _is_overtaken(self, node: ast.expr, function: Function) -> bool:
        """Whether it is a value of a pass of a loop that another pass always follows."""
        if id(function) not in self._not_last:
            self._not_last[id(function)] = not_last(function, self._names)
        return id(node) in self._not_last[id(function)]

    def _is_fresh(self, node: ast.expr, function: Function, line: int) -> bool:
        """Whether the same function gives the state a new value on every way to `line`."""
        wanted = ast.unparse(node)
        body = [] if isinstance(function, ast.Lambda) else function.body
        for statement in _always(body):
            if statement.lineno >= line:
                break
            for target, value in assignments([statement]):
                same = path(target) == path(node) and ast.unparse(target) == wanted
                if same and not self._is_old(value, function):
                    return True
        return False

    def _is_old(self, value: ast.expr, function: Function) -> bool:
        """A value that is state itself, such as ``self.buffer[:n]``."""
        return any(self._state.path(part, function) for part in (value, *_alternatives(value)))


def _always(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run whenever the body does."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.With):
            yield from _always(statement.body)


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """Expressions whose memory the value of `node` may share."""
    found: list[ast.expr] = []
    match node:
        case ast.IfExp():
            found = [node.body, node.orelse]
        case ast.BoolOp() | ast.Dict():
            found = node.values
        case ast.Tuple() | ast.List():
            found = node.elts
        case ast.Subscript() | ast.NamedExpr() | ast.Starred():
            found = [node.value]
        case ast.Attribute(value=owner, attr=attr) if attr in SHARING:
            found = [owner]
        case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=args) if attr in SHARING | _TAKING:
            found = [owner, *args] if attr == "set_" else [owner]
    return found
