"""Module-level constants of a task's text: read, rewrite, strip. Nothing is executed.

A constant is a name bound exactly once, at module level, to a literal: numbers, strings, tuples,
lists and dictionaries of them, and arithmetic on numbers (``8192 * 2``, ``[1024] * 16``). A value
that mentions other names, such as ``(out_features, 1)``, is no constant: it follows by itself when
the names in it are rewritten.
"""

from __future__ import annotations

import ast
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kernelopt._syntax import parse
from kernelopt.errors import TaskError

_MAX_ITEMS = 4096
_MAX_INT = 1 << 63
_NEWLINE = re.compile(rb"\r\n|\r|\n")

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


class _NotConstant(ValueError):
    """A node whose value cannot be known, or is not worth knowing, without running the module."""


@dataclass(frozen=True, slots=True)
class _Literal:
    """A constant and where its value stands, in bytes of the UTF-8 text."""

    value: Any
    start: int
    end: int


def constants(source: str) -> dict[str, Any]:
    """Name → value of every constant, in the order of the text.

    Raises:
        SyntaxError: the text is not Python.
    """
    return {name: literal.value for name, literal in _literals(source).items()}


def rewrite(source: str, values: Mapping[str, Any]) -> str:
    """The text with those constants set to `values`; every other byte stays as it is.

    Values are written with `repr`, so they have to be literals themselves.

    Raises:
        SyntaxError: the text is not Python.
        TaskError: a name is no constant of this module.
    """
    literals = _literals(source)
    text = source.encode()
    for name in sorted(values, key=lambda name: -literals[name].start if name in literals else 0):
        if name not in literals:
            known = ", ".join(literals) or "none"
            raise TaskError(f"there is no module-level constant {name!r} to set; constants here: {known}")
        literal = literals[name]
        text = text[: literal.start] + repr(values[name]).encode() + text[literal.end :]
    return text.decode()


def strip(source: str, names: tuple[str, ...]) -> str:
    """The text without the module-level assignments to `names`.

    An assignment that shares its line with another statement stays. Where blank lines would meet,
    the ones after the assignment go with it.

    Raises:
        SyntaxError: the text is not Python.
    """
    body = parse(source).body
    lines = [piece for piece in re.split(r"(?<=\n)|(?<=\r)(?!\n)", source) if piece]
    taken = Counter(line for node in body for line in {node.lineno, node.end_lineno})
    for node in reversed(body):
        first, last = node.lineno, node.end_lineno or node.lineno
        if _target(node) in names and taken[first] == taken[last] == 1:
            _cut(lines, first - 1, last)
    return "".join(lines)


def _cut(lines: list[str], first: int, last: int) -> None:
    """Remove ``lines[first:last]`` and the blank lines behind, if blank lines or nothing stand before."""
    if first == 0 or not lines[first - 1].strip():
        while last < len(lines) and not lines[last].strip():
            last += 1
    del lines[first:last]


def _literals(source: str) -> dict[str, _Literal]:
    """Every constant with its place; a name that is bound more than once is left out."""
    tree = parse(source)
    bound = Counter(_bound_names(tree))
    starts = [0, *(match.end() for match in _NEWLINE.finditer(source.encode()))]
    found = {}
    for name, node in _assignments(tree):
        if bound[name] == 1:
            try:
                value = _value(node)
            except (_NotConstant, RecursionError):
                continue
            found[name] = _Literal(value, *_span(node, starts))
    return found


def _span(node: ast.expr, starts: list[int]) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset


def _target(node: ast.stmt) -> str | None:
    """The one name that an assignment binds, or None."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Name and value of ``a = 1``, ``a: int = 1`` and of each part of ``a, b = 1, 2``."""
    for node in tree.body:
        name = _target(node)
        if name and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            yield name, node.value
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            yield from _unpacked(node.targets[0], node.value)


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for part, item in zip(target.elts, value.elts, strict=True):
            if isinstance(part, ast.Name):
                yield part.id, item


def _bound_names(tree: ast.Module) -> Iterator[str]:
    """Every name that the module binds at its own level, once for each binding."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            declared = (part for part in ast.walk(node) if isinstance(part, ast.Global))
            yield from (name for part in declared for name in part.names)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        pending.extend(ast.iter_child_nodes(node))


def _value(node: ast.expr) -> Any:
    """The value of a literal, within bounds that keep a hostile text from filling the memory."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=items):
            return {_key(key): _value(item) for key, item in zip(keys, items, strict=True)}
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _number(_value(operand))
            return -number if isinstance(sign, ast.USub) else number
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _combined(_BINARY[type(sign)], _value(left), _value(right))
    raise _NotConstant


def _key(node: ast.expr | None) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        return node.value
    raise _NotConstant


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NotConstant
    return value


def _combined(combine: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if isinstance(left, tuple | list):
        return _repeated(combine, left, right)
    _number(left), _number(right)
    if combine is operator.pow and not (abs(left) <= _MAX_INT and 0 <= right <= 64):
        raise _NotConstant
    try:
        value = combine(left, right)
    except ArithmeticError as error:
        raise _NotConstant from error
    if isinstance(value, complex) or abs(value) > _MAX_INT:
        raise _NotConstant
    return value


def _repeated(combine: Callable[[Any, Any], Any], items: Any, right: Any) -> Any:
    """``[1024] * 16`` and ``[64] + [128]``, as long as the result stays small."""
    repeats = combine is operator.mul and type(right) is int and len(items) * right <= _MAX_ITEMS
    if repeats or (combine is operator.add and type(right) is type(items)):
        return combine(items, right)
    raise _NotConstant
