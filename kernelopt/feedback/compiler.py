"""What compilers said about an evaluated kernel, whichever they were: causes before consequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kernelopt.evaluation import Evaluation, Stage, Status
from kernelopt.feedback import diagnostics
from kernelopt.feedback.diagnostics import Problem
from kernelopt.feedback.text import inline
from kernelopt.gpu import Diagnostic
from kernelopt.gpu.diagnostics import parse
from kernelopt.gpu.profiles import to_diagnostics
from kernelopt.kernel import Kernel

_TOOLS = {"cuda": "nvrtc", "cupy": "nvrtc", "triton": "triton"}
"""Language to the compiler that its kernels meet first."""
_AT = (Stage.BUILD, Stage.LOAD)
_AT_ON_GPU = (*_AT, Stage.RUN, Stage.CHECK)
"""Triton and CuPy compile at the first call."""
_MARKS = ("error", "fatal", "ptxas", "triton")


def compiler_problems(evaluation: Evaluation, kernel: Kernel | None = None) -> list[Problem]:
    """Compiler and linker errors that ended an evaluation; none where something else did.

    Args:
        evaluation: the build's log is looked at first; a kernel that built by itself has it in its own.
        kernel: its files give the lines at fault, where the compiler does not print them.
    """
    tool = _TOOLS.get(evaluation.language)
    if evaluation.usable or evaluation.stage not in (_AT_ON_GPU if tool else _AT):
        return []
    if evaluation.build and evaluation.build.diagnostics:
        return problems(to_diagnostics(evaluation.build.diagnostics))
    for log in (evaluation.build.log if evaluation.build else "", evaluation.log):
        found = diagnostics.problems(diagnostics.parse_gcc(log))
        if not found and tool and any(mark in log for mark in _MARKS) and not _is_mismatch(evaluation):
            found = problems(parse(tool, log, dict(kernel.files) if kernel else {}))
        if found:
            return found
    return []


def _is_mismatch(evaluation: Evaluation) -> bool:
    return evaluation.status in (Status.WRONG_VALUE, Status.WRONG_SHAPE, Status.WRONG_DTYPE)


def problems(found: Sequence[Diagnostic]) -> list[Problem]:
    """Errors with their notes, the same message at several lines once."""
    grouped: dict[str, Problem] = {}
    key = ""
    for each in found:
        if each.severity == "error":
            key = each.message
            known = grouped.get(key)
            if known is None:
                grouped[key] = Problem(_as_printed(each), (), ())
            elif each.line not in (known.error.line, *known.also_at):
                grouped[key] = replace(known, also_at=(*known.also_at, each.line))
        elif each.severity == "note" and key:
            note = replace(_as_printed(each), message=f"{placed(each)}{each.message}")
            grouped[key] = replace(grouped[key], notes=(*grouped[key].notes, note))
        else:
            key = ""
    return list(grouped.values())


def _as_printed(each: Diagnostic) -> diagnostics.Diagnostic:
    return diagnostics.Diagnostic(
        each.file, each.line, each.column, each.severity, each.message, each.excerpt
    )


def placed(each: Diagnostic) -> str:
    """File and line of a message as code, with a space behind; ``""`` where they are not known."""
    return f"`{inline(each.file, 80)}:{each.line}` " if each.file and each.line else ""
