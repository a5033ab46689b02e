"""What one function does when it runs: the statements that count, and which names are tensors."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._names import Function, Names, path
from kernelopt.languages._operators import ALLOCATING, ASKING, TENSOR_METHODS


def running(function: Function) -> Iterator[ast.AST]:
    """Every node of a body, except in branches that never run and blocks that fill a cache once."""
    parameters = {arg.arg for arg in _parameters(function)} - {"self", "cls"}
    queue: list[ast.AST] = [*function.body] if not isinstance(function, ast.Lambda) else [function.body]
    while queue:
        node = queue.pop(0)
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and not node.test.value:
            queue += node.orelse
        elif isinstance(node, ast.If) and _fills_cache(node, parameters):
            queue += [node.test, *node.orelse]
        else:
            queue += ast.iter_child_nodes(node)


def _fills_cache(node: ast.If, parameters: set[str]) -> bool:
    """``if self.packed is None: self.packed = ...`` without a look at the inputs of the call."""
    body = [part for statement in node.body for part in ast.walk(statement)]
    if any(
        isinstance(part, ast.Return) or (isinstance(part, ast.Name) and part.id in parameters)
        for part in body
    ):
        return False
    stored = {path(part) for part in body if isinstance(part, ast.Attribute | ast.Name) and _is_store(part)}
    asked = {path(part) for part in ast.walk(node.test) if isinstance(part, ast.Attribute | ast.Name)}
    asked |= {f"self.{part.value!s}" for part in ast.walk(node.test) if isinstance(part, ast.Constant)}
    return bool((stored & asked) - {"self", None})


def _is_store(node: ast.Attribute | ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def tensors(function: Function, names: Names) -> set[str]:
    """Local names that are tensors for certain."""
    parameters = {arg.arg for arg in _parameters(function)}
    nodes = list(ast.walk(function))
    found = {
        node.value.id
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in parameters and node.attr in ASKING
    }
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if _makes_tensor(node.value, names, found):
                found.add(node.targets[0].id)
            else:
                found.discard(node.targets[0].id)
    return found


def _makes_tensor(node: ast.expr, names: Names, known: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in known
    if not isinstance(node, ast.Call):
        return False
    made = names.dotted(node.func)
    if made is not None:
        return made.removeprefix("torch.") in ALLOCATING and made.startswith("torch.")
    return isinstance(node.func, ast.Attribute) and node.func.attr in TENSOR_METHODS


def _parameters(function: Function) -> list[ast.arg]:
    spec = function.args
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
