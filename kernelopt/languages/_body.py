"""Which local names of a function are tensors."""

from __future__ import annotations

import ast

from kernelopt.languages._inspect_data import parameters_of
from kernelopt.languages._names import Function, Names, path
from kernelopt.languages._operators import ALLOCATING, ASKING, TENSOR_METHODS

_FUNCTIONS = ("torch.autograd.Function", "torch.autograd.function.Function")


def tensors(function: Function, names: Names) -> set[str]:
    """Local names that are tensors for certain."""
    parameters = {arg.arg for arg in parameters_of(function)} - _context(function, names)
    nodes = names.within(function)
    found = {
        node.value.id
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in parameters and node.attr in ASKING and isinstance(node.ctx, ast.Load)
    }
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if _makes_tensor(node.value, names, found):
                found.add(node.targets[0].id)
            else:
                found.discard(node.targets[0].id)
    return found


def _context(function: Function, names: Names) -> set[str]:
    """The parameter in which an `autograd.Function` keeps shapes and tensors for its backward.

    ``ctx.shape`` asks no tensor for its shape. A `forward` beside a `setup_context` has no such parameter.
    """
    owner = next((each for each in names.classes.values() if function in each.body), None)
    if owner is None or not any(names.dotted(base) in _FUNCTIONS for base in owner.bases):
        return set()
    if any(isinstance(node, ast.Attribute) and path(node) == f"{owner.name}.forward" for node in names.nodes):
        return set()  # called by hand it may be given anything
    methods = {part.name: part for part in owner.body if isinstance(part, ast.FunctionDef)}
    first = "setup_context" if "setup_context" in methods else "forward"
    keeping = [methods.get(name) for name in (first, "backward")]
    return {arg.arg for arg in parameters_of(function)[:1] if function in keeping}


def _makes_tensor(node: ast.expr, names: Names, known: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in known
    if not isinstance(node, ast.Call):
        return False
    made = names.dotted(node.func)
    if made is not None:
        return made.removeprefix("torch.") in ALLOCATING and made.startswith("torch.")
    return isinstance(node.func, ast.Attribute) and node.func.attr in TENSOR_METHODS
