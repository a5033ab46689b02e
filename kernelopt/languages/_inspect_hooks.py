"""Functions that are registered to run before or after each call of a module.

One before the first call may prepare weights: it takes itself off again, looks at no input and returns none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_data import carries, parameters_of
from kernelopt.languages._names import Function, Names, path

_BEFORE = ("register_forward_pre_hook",)
_HOOKS = (
    *("register_forward_hook", "register_module_forward_hook", "register_module_forward_pre_hook"),
    *_BEFORE,
)


def hooks(names: Names, constructors: set[int]) -> Iterator[tuple[ast.expr, set[str]]]:
    """What is registered, each with the names of handles by which it is taken off before a second call.

    There are none where code other than constructors (`constructors`: ids of their nodes) registers it, since
    that may run again and again.
    """
    handles = _handles(names)
    for node in names.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _HOOKS:
            once = node.func.attr in _BEFORE and id(node) in constructors
            given = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "hook")]
            yield from ((hook, handles.get(id(node), set()) if once else set()) for hook in given)


def _handles(names: Names) -> dict[int, set[str]]:
    """The names that stand for what a call returned and for nothing else."""
    found: dict[int, set[str]] = {}
    for name, values in names.values.items():
        given = [value for value in values if not (isinstance(value, ast.Constant) and value.value is None)]
        if name and len(given) == 1:
            found.setdefault(id(given[0]), set()).add(name)
    return found


def runs_once(function: Function, handles: set[str]) -> bool:
    """Whether a hook takes itself off by one of these handles, and has nothing to do with inputs."""
    if isinstance(function, ast.Lambda) or not handles:
        return False
    first, *inputs = [arg.arg for arg in parameters_of(function) if arg.arg != "self"] or [""]
    leaves = any(isinstance(node, ast.Return) for node in ast.walk(function))
    if leaves or any(carries(each, {*inputs}) for each in function.body):
        return False
    ways = {each.replace("self.", f"{owner}.", 1) for each in handles for owner in ("self", first)}
    return any(_takes_off(each, ways) for each in _always(function.body))


def _always(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run whenever the body does."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.With):
            yield from _always(statement.body)


def _takes_off(statement: ast.stmt, handles: set[str]) -> bool:
    match statement:
        case ast.Expr(ast.Call(func=ast.Attribute(value=handle, attr="remove"), args=[])):
            return path(handle) in handles
    return False
