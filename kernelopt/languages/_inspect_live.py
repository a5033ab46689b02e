"""Which code of a module can run at all when the judge loads it and calls its model."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from kernelopt.languages._inspect_families import found_by_base
from kernelopt.languages._names import Names

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def live_nodes(tree: ast.Module, names: Names) -> list[ast.AST]:
    """Every node but those of ``if __name__ == "__main__":`` and of functions and classes nobody names.

    People leave `get_inputs`, the task's own `Model` and a small benchmark beside their answer; none of it
    runs. Outer nodes come before what is inside them.
    """
    dead = {node.name: node for node in tree.body if isinstance(node, Definition) and not node.decorator_list}
    for known in ("ModelNew", *found_by_base(names)):
        dead.pop(known, None)
    if _looks_names_up(names.nodes):
        dead = {}
    nodes: list[ast.AST] = []
    waiting: list[ast.AST] = []
    for statement in tree.body:
        held_back = statement in dead.values() if isinstance(statement, Definition) else False
        waiting += _defining(statement) if held_back else [] if _is_main(statement, names) else [statement]
    while waiting:
        fresh = _inside(waiting)
        nodes += fresh
        mentioned = {name for node in fresh if (name := _mention(node)) in dead}
        waiting = [dead.pop(name) for name in sorted(mentioned)]
    return nodes


def _inside(roots: Iterable[ast.AST]) -> list[ast.AST]:
    queue = list(roots)
    for node in queue:
        queue += ast.iter_child_nodes(node)
    return queue


def _defining(node: ast.AST) -> list[ast.AST]:
    """What runs when a function or class is only defined."""
    if isinstance(node, ast.ClassDef):
        return [
            *node.bases,
            *node.keywords,
            *(each for each in node.body if not isinstance(each, Definition)),
        ]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    return []


def _mention(node: ast.AST) -> str:
    """A name that a node may call something by; strings count, as in ``globals()["f"]``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _looks_names_up(nodes: Iterable[ast.AST]) -> bool:
    """Whether code may run by a name that is put together."""
    return any(
        isinstance(node, ast.Name) and node.id in ("globals", "locals", "vars", "eval", "exec")
        for node in nodes
    )


def _is_main(node: ast.AST, names: Names) -> bool:
    match node:
        case ast.If(
            test=ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]), orelse=[]
        ):
            return "__name__" not in names.bound
    return False


def switched_off(names: Names) -> set[str]:
    """Names like ``DEBUG`` of ``DEBUG = False``, which nothing in the module ever gives another value."""
    false = {
        name
        for name, values in names.values.items()
        if name and len(values) == 1 and isinstance(values[0], ast.Constant) and not values[0].value
    }
    stored: dict[str, int] = {}
    for node in names.nodes:
        name = node.id if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) else ""
        name = node.arg if isinstance(node, ast.arg) else name
        stored[name] = stored.get(name, 0) + 1
    return {name for name in false if stored.get(name) == 1} - {*names.imports, *names.functions}


def is_never(test: ast.expr, off: set[str]) -> bool:
    """Whether a test is false, or the name of a switch that is always off."""
    if isinstance(test, ast.Name):
        return test.id in off
    return isinstance(test, ast.Constant) and not test.value
