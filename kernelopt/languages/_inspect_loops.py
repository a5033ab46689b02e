"""What the last pass of a loop does not take: ``out = fresh() if i == len(layers) - 1 else buffers[i % 2]``.

Hidden layers may write into memory that the model keeps, as long as the last one has memory of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_assignments import assignments
from kernelopt.languages._names import Function, Names, path

_LEAVING = (ast.Break, ast.Continue, ast.Return, ast.Yield)


def not_last(function: Function, names: Names) -> set[int]:
    """Ids of values that are only bound in passes of a loop of this function before its last one."""
    loops = (node for node in names.within(function) if isinstance(node, ast.For))
    return {each for node in loops for each in _Loop(node, function, names).earlier()}


class _Loop:
    def __init__(self, node: ast.For, function: Function, names: Names):
        self._node = node
        self._bound: dict[str, list[ast.expr]] = {}
        for target, value in names.bindings(function):
            self._bound.setdefault(path(target) or "", []).append(value)
        self._parts = [part for statement in node.body for part in ast.walk(statement)]
        self._index, self._item, self._over, self._size = self._passes()

    def _passes(self) -> tuple[str, str, ast.expr | None, ast.expr | None]:
        """Names of a pass' number and item, and what the loop goes over, or how often it runs."""
        match self._node.target, self._node.iter:
            case ast.Name(id=index), ast.Call(func=ast.Name("range"), args=[size], keywords=[]):
                return index, "", None, size
            case (
                ast.Tuple(elts=[ast.Name(id=index), item]),
                ast.Call(func=ast.Name("enumerate"), args=[over], keywords=[]),
            ):
                return index, path(item) or "", over, None
            case ast.Name(id=item), over:
                return "", item, over, None
        return "", "", None, None

    def earlier(self) -> Iterator[int]:
        """Values of passes that are not the last one."""
        if any(isinstance(part, _LEAVING) for part in self._parts):
            return
        for part in (each for each in self._node.body if isinstance(each, ast.If)):
            for target, value in assignments(self._other(part.test, part.body, part.orelse)):
                yield from self._value(target, value)
        for target, value in assignments(self._node.body):
            if isinstance(value, ast.IfExp):
                for other in self._other(value.test, [value.body], [value.orelse]):
                    yield from self._value(target, other)

    def _value(self, target: ast.expr, value: ast.AST) -> Iterator[int]:
        """A value, where its name is read behind it only, and handed on in each pass: else one may stay."""
        if not isinstance(target, ast.Name):
            return
        place = (target.lineno, target.col_offset)
        early = [part for part in self._parts if _reads(part, target.id) and _place(part) < place]
        direct = {id(value) for _, value in assignments(self._node.body)}
        now_and_then = [
            given
            for _, given in assignments(self._parts)
            if id(given) not in direct and any(_reads(part, target.id) for part in ast.walk(given))
        ]
        if not early and not now_and_then:
            yield id(value)

    def _other(self, test: ast.expr, body: list, orelse: list) -> list:  # type: ignore[type-arg]
        """What the last pass does not run."""
        last = self._is_last(test)
        return [] if last is None else orelse if last else body

    def _is_last(self, test: ast.expr) -> bool | None:
        """Whether a test is true in the last pass alone, or false in it alone; None if that is not known."""
        match self._once(test):
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                last = self._is_last(operand)
                return None if last is None else not last
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
                return True if self._names_last(left, right) else None
            case ast.Compare(left=left, ops=[ast.NotEq() | ast.IsNot() | ast.Lt()], comparators=[right]):
                return False if self._names_last(left, right) else None
        return None

    def _names_last(self, left: ast.expr, right: ast.expr) -> bool:
        """``i`` and ``len(layers) - 1``, ``i + 1`` and ``len(layers)``, or ``layer`` and ``layers[-1]``."""
        sizes, lasts = self._sizes()
        match left:
            case ast.Name(id=name) if name == self._item:
                return ast.unparse(right) in self._last_items()
            case ast.Name(id=name) if name == self._index:
                return self._text(right) in lasts
            case ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=ast.Constant(1)):
                return name == self._index and self._text(right) in sizes
        return False

    def _sizes(self) -> tuple[set[str], set[str]]:
        """How the number of passes may be written, and the number of the last one."""
        over = self._once(self._over) if self._over else None
        sizes = {self._text(self._size)} if self._size else set()
        sizes |= {f"len({ast.unparse(each)})" for each in (self._over, over) if each}
        if isinstance(over, ast.Tuple | ast.List):
            sizes.add(str(len(over.elts)))
        lasts = {f"{each} - 1" for each in sizes} | {str(int(each) - 1) for each in sizes if each.isdecimal()}
        return sizes, lasts

    def _last_items(self) -> set[str]:
        over = self._once(self._over) if self._over else None
        found = {f"{ast.unparse(self._over)}[-1]"} if self._over else set()
        if isinstance(over, ast.Tuple | ast.List) and over.elts:
            found.add(ast.unparse(over.elts[-1]))
        return found

    def _once(self, node: ast.expr) -> ast.expr:
        """What a local name stands for that is bound once."""
        values = self._bound.get(node.id, []) if isinstance(node, ast.Name) else []
        return values[0] if len(values) == 1 else node

    def _text(self, node: ast.expr) -> str:
        """``len(layers) - 1``, also where a name stands for a part of it."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            return f"{self._text(node.left)} - {self._text(node.right)}"
        return ast.unparse(self._once(node))


def _reads(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
