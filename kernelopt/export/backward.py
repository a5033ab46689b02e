"""Whether an answer has a backward pass of its own, and what the judge said of it."""

from __future__ import annotations

import ast

from kernelopt._syntax import parse
from kernelopt.evaluation import Evaluation, Status

_PASSES = ("backward", "vjp")


def has_backward(source: str) -> bool:
    """Whether a text defines gradients: a `torch.autograd.Function`, or a formula that it registers."""
    return any(_is_function(node) or _registers(node) for node in ast.walk(parse(source)))


def _is_function(node: ast.AST) -> bool:
    if not isinstance(node, ast.ClassDef) or not any(_last(base) == "Function" for base in node.bases):
        return False
    return any(isinstance(part, ast.FunctionDef) and part.name in _PASSES for part in node.body)


def _registers(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _last(node.func) == "register_autograd"


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def verdict(found: Evaluation) -> str:
    """Why the gradients of a kernel are not used, in a sentence; empty where they are right."""
    checks = [check for check in found.checks if check.workload_id.startswith("backward/")]
    wrong = next((check for check in checks if check.status is not Status.PASSED), None)
    if wrong is not None:
        return wrong.detail or str(wrong.status)
    if not found.correct:
        return found.reason
    return "" if checks else "the reference has no gradients"
