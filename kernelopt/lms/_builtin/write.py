"""Task text and skills → the text of an answer module."""

from __future__ import annotations

from kernelopt.lms._builtin import (
    emit_contract,
    emit_conv,
    emit_maps,
    emit_math,
    emit_pool,
    emit_scan,
    rules_constants,
    rules_losses,
    rules_rows,
    rules_sums,
)
from kernelopt.lms._builtin.answer import Call, assemble, in_cpp
from kernelopt.lms._builtin.emit_text import Code, Style
from kernelopt.lms._builtin.expr import LIBRARY
from kernelopt.lms._builtin.graph import UnknownOperator
from kernelopt.lms._builtin.kernels import Kernel
from kernelopt.lms._builtin.plan import Plan
from kernelopt.lms._builtin.read import read
from kernelopt.lms._builtin.rules import Lowering

__all__ = ["UnknownOperator", "write_module"]
_RULES = (rules_constants, rules_losses, rules_rows, rules_sums)  # imported for the rules that they register
_FLAGS = ("-mprefer-vector-width=512", "-fno-math-errno", "-fno-trapping-math")


def write_module(task_source: str, skills: frozenset[str]) -> str:
    """The Python text of an answer: deterministic, with one C++ function for each kernel.

    Args:
        task_source: text of the task module (trusted; it is run once to see shapes).
        skills: names from `skills.py`; what is absent is done as a beginner would.

    Raises:
        UnknownOperator: no kernel is known for something in the task.
    """
    program = read(task_source, Lowering("row_max" in skills, "epsilon" in skills))
    plan = Plan(program.outputs, fuse="fuse" in skills, reciprocals="float_math" in skills)
    style = _style(skills, plan.kernels)
    functions = [_function(kernel, style, f"f{i}") for i, kernel in enumerate(plan.kernels)]
    headers = _headers(functions, plan.kernels, skills)
    calls = [_call(kernel, style, f"f{i}") for i, kernel in enumerate(plan.kernels)]
    flags = _FLAGS if style.simd else ()
    dialect = in_cpp(headers + "\n\n".join(functions), flags)
    return assemble(task_source, dialect, program, calls)


def _style(skills: frozenset[str], kernels: list[Kernel]) -> Style:
    elementwise = all(k.anchor is None and not k.dims for k in kernels)
    return Style(
        threads="threads" in skills,
        single="float_math" in skills,
        simd="simd" in skills,
        poly="poly_math" in skills and "float_math" in skills,
        loop_order="loop_order" in skills,
        blocking="blocking" in skills,
        streaming="streaming" in skills,
        unroll=elementwise,
        tail="tail" in skills,
    )


def _function(kernel: Kernel, style: Style, name: str) -> str:
    kind = kernel.anchor.kind if kernel.anchor else ""
    if kind == "contract":
        return emit_contract.emit(kernel, style, name)
    if kind == "conv":
        return emit_conv.emit(kernel, style, name)
    if kind == "pool":
        return emit_pool.emit(kernel, style, name)
    if kind in ("scan", "recur"):
        return emit_scan.emit(kernel, style, name)
    return emit_maps.emit(kernel, style, name)


def _headers(functions: list[str], kernels: list[Kernel], skills: frozenset[str]) -> str:
    body = "\n".join(functions)
    found = "#include <cstdlib>\n" if "std::free" in body else ""
    uses = any(f"std::{name}(" in body for name in LIBRARY) or "NAN" in body
    forgets = "includes" not in skills and _row_norm(kernels)
    found += "#include <cmath>\n" if uses and not forgets else ""
    if "vec " in body:
        found += emit_contract.VECTORS
    return found + emit_math.helpers(body) + "\n" * bool(found)


def _row_norm(kernels: list[Kernel]) -> bool:
    """Whether a reduction's result goes through a root or a logarithm: norms and log-sums."""
    names = {item[0] for k in kernels for item in k.exprs.items}
    return any(k.dims for k in kernels) and bool(names & {"rsqrt", "sqrt", "log"})


def _call(kernel: Kernel, style: Style, name: str) -> Call:
    code = Code(kernel, style)
    return Call(name, tuple(code.reads), tuple(code.writes))
