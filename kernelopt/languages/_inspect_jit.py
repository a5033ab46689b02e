"""Functions that Triton compiles, used as the Python functions that they are written as.

Triton compiles a kernel and nothing that it calls but other kernels. Its interpreter runs the body as
Python, where a call of PyTorch inside would work, and be right; and ``kernel.fn(x)`` runs it anywhere. So
both are looked for in the text. Nothing else in a body is: there, ``x * y`` is no tensor arithmetic.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._names import JITS, Names
from kernelopt.languages._operators import OTHER_LIBRARIES

_FOREIGN = OTHER_LIBRARIES | {"torch", "math", "ctypes", "operator", "functools"}
"""Modules that a compiled kernel cannot call."""
_BODIES = ("fn", "base_fn", "__wrapped__", "rewrite", "rewriter", "rewritten_fn")
"""Attributes of Triton's kernels that lead to the Python function."""


def inspect_jit(names: Names, live: list[ast.AST], report: Report) -> None:
    """Report calls inside of kernels that Triton does not compile, and kernels that run as Python."""
    if not names.jitted:
        return
    inside: set[int] = set()
    for function in names.jitted.values():
        for node in (node for part in function.body for node in ast.walk(part)):
            inside.add(id(node))
            if isinstance(node, ast.Call) and (what := _foreign(node.func, names)):
                report.add("fallback", node.lineno, f"the kernel {function.name} calls {what}, not Triton's")
    kernels = Holders(names, lambda node: _is_kernel(node, names))
    for node in live:
        if id(node) not in inside and (what := _as_python(node, names, kernels)):
            report.add("fallback", getattr(node, "lineno", 0), what)


def _is_kernel(node: ast.expr, names: Names) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names.jitted
    return isinstance(node, ast.Call) and names.dotted(node.func) in JITS


def _foreign(called: ast.expr, names: Names) -> str | None:
    """What a call inside a kernel reaches that is no kernel, in words, or None."""
    meaning = names.dotted(called)
    if meaning is not None:
        return meaning if meaning.split(".")[0] in _FOREIGN else None
    if not isinstance(called, ast.Name) or called.id in names.jitted:
        return None
    plain = called.id in names.functions and not _is_constexpr(names, called.id)
    lambdas = any(isinstance(value, ast.Lambda) for value in names.values.get(called.id, ()))
    return f"the Python code {called.id}" if plain or called.id in names.classes or lambdas else None


def _is_constexpr(names: Names, name: str) -> bool:
    """``@triton.constexpr_function``: runs when Triton compiles, on numbers."""
    function = names.functions[name]
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    return any((names.dotted(node) or "").endswith("constexpr_function") for node in decorators)


def _as_python(node: ast.AST, names: Names, kernels: Holders) -> str | None:
    """How a kernel's body is run without Triton, in words, or None."""
    for owner, attribute in _attributes(node, names):
        if attribute in _BODIES and kernels.holds(owner):
            return f"{ast.unparse(owner)[:40]}.{attribute} is the kernel's body as plain Python"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and kernels.holds(node.func):
        return f"{node.func.id}(...) runs the kernel as plain Python; launch it: {node.func.id}[grid](...)"
    return None


def _attributes(node: ast.AST, names: Names) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.Attribute(value=owner, attr=attribute):
            yield owner, attribute
        case ast.Call(func=ast.Name("getattr"), args=[owner, name, *_]):
            yield owner, names.text(name) or ""
