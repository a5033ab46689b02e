"""One evaluation → the ASI: what search, a person and the next attempt read. Most useful first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kernelopt.evaluation import Check, Evaluation, Status
from kernelopt.feedback import (
    changes,
    diagnostics,
    gpu,
    mismatches,
    performance,
    source_hints,
    tracebacks,
    words,
)
from kernelopt.feedback.changes import Before
from kernelopt.feedback.compiler import compiler_problems
from kernelopt.feedback.gpu_hints import hints
from kernelopt.feedback.text import Part, assemble, fenced, inline, quoted
from kernelopt.kernel import Kernel
from kernelopt.retrieval import Excerpt
from kernelopt.task import Task

LEVELS = ("score", "errors", "profile", "manuals")
"""How much is told, each with all before it: for ablations."""
_FROM = {
    "Build": "errors",
    "Exception": "errors",
    "Mismatch": "errors",
    "Printed": "errors",
    "Compiled": "profile",
    "Performance": "profile",
    "Since the parent kernel": "profile",
    "Already tried, and no better": "profile",
    "Manual excerpts": "manuals",
}
"""Heading of a part to the level from which it is told."""
_LOG_LINES = 10

_SIGNALS = {
    "4": "an instruction that this machine does not have: build with -march=native only",
    "6": "an abort: a corrupted heap (a write out of bounds) or a failed assertion",
    "7": "a misaligned or unmapped access: an aligned vector load on an unaligned pointer",
    "8": "an integer division by zero",
    "9": "killed from outside, most likely for using too much memory",
    "11": "a read or write out of bounds: an index, a size or a stride is wrong, or a pointer was passed "
    "for memory that is already freed",
}
_USUAL = {
    Status.TIMED_OUT: "a loop that never ends, a deadlock between threads, or a far slower algorithm",
    Status.OUT_OF_MEMORY: "intermediates as large as the inputs, or a size computed from the wrong shape",
    Status.WRONG_DTYPE: "the output is allocated without the dtype and device of the input",
    Status.WRONG_SHAPE: "the output is allocated with the input's shape, or an axis is kept or dropped",
}


def explain(
    evaluation: Evaluation,
    *,
    kernel: Kernel | None = None,
    excerpts: Sequence[Excerpt] = (),
    parent: Evaluation | Before | None = None,
    tried: Sequence[str] = (),
    task: Task | None = None,
    score: str = "",
    token_budget: int = 1500,
    level: str = LEVELS[-1],
) -> str:
    """What an evaluation teaches, as Markdown of at most `token_budget` tokens (four characters each).

    Args:
        evaluation: what happened.
        kernel: what was evaluated; names the candidate's own files in tracebacks.
        excerpts: manual excerpts that fit the situation.
        parent: the evaluation of the kernel that this one was refined from, with its source if known.
        tried: a line each on attempts at this task that were no better.
        task: what the kernel is for; tells what a GPU kernel is expected to use.
        score: how the score came about, in a few words.
        token_budget: limit; parts are cut at line ends, the least useful ones first.
        level: one of `LEVELS`; at ``score`` nothing but the score is told.

    Text of untrusted programs is quoted in fences or flattened to one line. No line outside of a
    fence begins with a single ``#``, so the result can stand in a section of a prompt.
    """
    if level == LEVELS[0]:
        return f"Score: {inline(score, 12)}.\n"
    errors = compiler_problems(evaluation, kernel)
    before = Before(parent) if isinstance(parent, Evaluation) else parent
    crash = None if errors or evaluation.usable else tracebacks.parse_traceback(evaluation.log)
    hints_of_source = source_hints.slowness_hints(evaluation, kernel)
    parts = [
        Part("", _headline(evaluation, score, errors, kernel), 0.2),
        Part("Build", _build(evaluation, errors), 0.6),
        Part("Exception", _exception(crash, kernel), 0.4),
        Part("Mismatch", _mismatch(evaluation.checks), 0.6),
        Part("Compiled", [] if errors else gpu.of_evaluation(evaluation, task), 0.6),
        Part("Performance", performance.describe(evaluation, hints_of_source), 0.6),
        Part("Since the parent kernel", changes.describe(evaluation, kernel, before), 0.1),
        Part("Already tried, and no better", [f"- {inline(line, 300)}" for line in tried], 0.1),
        Part("Manual excerpts", _excerpts(excerpts), 0.35),
        Part("Printed", [] if errors or crash else _printed(evaluation), 0.1),
    ]
    told = LEVELS[: LEVELS.index(level) + 1]
    return assemble([part for part in parts if _FROM.get(part.heading, told[0]) in told], token_budget)


def _headline(
    evaluation: Evaluation, score: str, errors: Sequence[diagnostics.Problem], kernel: Kernel | None
) -> list[str]:
    """Where it stopped, why, and the score, in one line; then what such an end usually means."""
    if evaluation.correct:
        checks = len(evaluation.checks)
        first = f"PASSED: correct on {checks} input set{'s' if checks > 1 else ''}" if checks else "PASSED"
        if evaluation.speedup:
            whose = f"scalar kernel, {evaluation.estimate.label}" if evaluation.estimate else "reference"
            first += f", {evaluation.speedup.median:.3g}x the speed of the {whose}"
    elif evaluation.status is Status.COMPILED:
        first = f"COMPILED ({inline(evaluation.reason, 100)})"
    else:
        first = f"Stopped at {evaluation.stage}: {evaluation.status}"
        reason = "" if errors else inline(evaluation.reason, 400)
        first += f", {reason}" if reason else ""
    first = first.rstrip(".") + "." + (f" Score: {inline(score, 200).rstrip('.')}." if score else "")
    return [first, *filter(None, [_meaning(evaluation), source_hints.crash_hint(evaluation, kernel)])]


def _meaning(evaluation: Evaluation) -> str:
    reason, status = evaluation.reason, evaluation.status
    if status is Status.SUSPECT and "fallback" in reason.lower():
        return f"This means that {words.FALLBACK} for the work that the kernel should do itself."
    if status is Status.NO_KERNEL and "cut off" in reason.lower():
        return f"That is, {words.CUT_OFF}: write a shorter module, with no text around it."
    signal = re.search(r"signal (\d+)", reason)
    if status is Status.CRASHED and signal and signal[1] in _SIGNALS:
        return f"Usual cause: {_SIGNALS[signal[1]]}."
    return f"Usual cause: {_USUAL[status]}." if status in _USUAL else ""


def _build(evaluation: Evaluation, errors: Sequence[diagnostics.Problem]) -> list[str]:
    kept = evaluation.build and evaluation.build.diagnostics
    if errors and kept and (lines := gpu.of_evaluation(evaluation)):
        return lines
    mends = hints([problem.error.message for problem in errors])
    lines = [*diagnostics.render(errors), *(f"- Usual mend: {mend}" for mend in mends)]
    failed = evaluation.status is Status.BUILD_FAILED
    if failed and not lines and evaluation.build and evaluation.build.log.strip():
        lines = fenced(evaluation.build.log.splitlines()[:_LOG_LINES])
    return lines


def _exception(crash: tracebacks.Traceback | None, kernel: Kernel | None) -> list[str]:
    sources = dict(kernel.files) if kernel else {}
    return tracebacks.render(crash, sources or {"kernel.py"}, sources) if crash else []


def _mismatch(checks: Sequence[Check]) -> list[str]:
    failed = next((check for check in checks if check.status is not Status.PASSED), None)
    if failed is None:
        return []
    right = [f"`{inline(c.workload_id, 40)}`" for c in checks if c.status is Status.PASSED]
    lines = mismatches.describe(failed)
    return [*lines, f"- right on input sets {', '.join(right[:6])}"] if right else lines


def _excerpts(excerpts: Sequence[Excerpt]) -> list[str]:
    lines: list[str] = []
    for excerpt in excerpts:
        source = f" ({inline(excerpt.source, 120)})" if excerpt.source else ""
        # A sentence a line, so that a cut at a line end is one at a sentence end.
        text = re.sub(r"(?<=[a-z)`][.!?]) +(?=[A-Z`])", "\n", excerpt.text)
        lines += [f"- {inline(excerpt.title, 120)}{source}", *quoted(text)]
    return lines


def _printed(evaluation: Evaluation) -> list[str]:
    """The tail of what a failed kernel printed."""
    if evaluation.usable or not evaluation.log.strip():
        return []
    return fenced([line[:200] for line in evaluation.log.splitlines()[-_LOG_LINES:]])
