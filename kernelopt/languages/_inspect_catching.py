"""What happens when the kernel fails: a handler may raise, build otherwise, or let PyTorch take over."""

from __future__ import annotations

import ast

from kernelopt.languages._inspect_called import IsBuild
from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._names import Names


def inspect_catching(names: Names, is_build: IsBuild, kernels: Holders, report: Report) -> None:
    """Note handlers that let the framework take over; `report` has the fallbacks already.

    `kernels`: what may hold a build, or a function of one.
    """
    for node in names.nodes:
        if isinstance(node, ast.Try) and _is_plan_b(node, is_build, kernels, report.lines("fallback")):
            what = "when the kernel fails, this handler lets the framework take over"
            report.add("catching", node.handlers[0].lineno, what)


def _is_plan_b(node: ast.Try, is_build: IsBuild, kernels: Holders, fallbacks: list[int]) -> bool:
    """Whether handlers compute in the framework, or give up a build that `forward` can do without."""
    inside = [part for handler in node.handlers for part in ast.walk(handler)]
    parts = [part for statement in node.body for part in ast.walk(statement)]
    tried = [part for part in parts if isinstance(part, ast.Call)]
    ours = any(is_build(part) or kernels.holds(part.func) for part in tried)
    if not ours or not fallbacks or any(isinstance(part, ast.Raise) for part in inside):
        return False
    if any(is_build(part) for part in inside if isinstance(part, ast.Call)):
        return False
    builds = any(is_build(part) for part in tried)
    return builds or any(getattr(part, "lineno", 0) in fallbacks for part in inside)
