"""Which local names of a function are tensors."""

from __future__ import annotations

import ast

from kernelopt.languages._inspect_data import parameters_of
from kernelopt.languages._names import Function, Names
from kernelopt.languages._operators import ALLOCATING, ASKING, TENSOR_METHODS


def tensors(function: Function, names: Names) -> set[str]:
    """Local names that are tensors for certain."""
    parameters = {arg.arg for arg in parameters_of(function)}
    nodes = names.within(function)
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
