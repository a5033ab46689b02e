"""The page of one task: its best kernel's evaluation and every attempt at it."""

from __future__ import annotations

import difflib

from kernelopt.errors import UnknownName
from kernelopt.evaluation import Check, Evaluation
from kernelopt.report import npu
from kernelopt.report.page import Grid, Page
from kernelopt.report.table import NOTHING, speedup_text, winner_text
from kernelopt.report.view import Attempt, RunView, TaskView


def find_task(view: RunView, wanted: str) -> TaskView:
    """The task with that id, slug or name.

    Raises:
        UnknownName: the run has no such task; the message lists near ones.
    """
    for task in view.tasks:
        if wanted in (task.id, task.slug, task.name):
            return task
    known = [name for task in view.tasks for name in (task.id, task.name)]
    near = difflib.get_close_matches(wanted, known, n=3) or [task.id for task in view.tasks[:8]]
    raise UnknownName(f"run {view.name} has no task {wanted!r}; there are for example: {', '.join(near)}")


def task_page(view: RunView, task: TaskView) -> Page:
    """What was reached, how it was checked and timed, and every attempt in order."""
    return [
        view.provenance,
        f"run: {view.name}   task: {task.id}   {task.name}" + (f"   ({task.split})" if task.split else ""),
        f"status: {task.status}" + (f" ({task.skip_reason})" if task.skipped else ""),
        *(_evaluation_lines(task, task.best) if task.best else ()),
        "",
        *([_check_grid(task.best.checks), ""] if task.best and task.best.checks else ()),
        _attempt_grid(task.attempts, npu.LABEL if npu.is_npu(view) else ""),
        *([f"source: {npu.kernel_file(view, task)}"] if task.best and task.best.usable else ()),
    ]


def _evaluation_lines(task: TaskView, best: Evaluation) -> list[str]:
    lines = [f"kernel: {best.kernel_hash}, isolation: {best.isolation}"]
    if best.usable:
        lines.append(f"winner: {winner_text(task)}")
    if best.timing and best.correct:
        when = "measured again at the end" if task.remeasured else "as the search measured it"
        lines.append(f"speedup: {speedup_text(best.speedup)} over {best.timing.baseline}, {when}")
        lines.append(f"time: {best.timing.candidate_ms:.4g} ms, was {best.timing.reference_ms:.4g} ms")
        others = [f"{speedup_text(other.speedup)} over {other.baseline}" for other in best.baselines]
        missing = [f"{name} is missing ({why})" for name, why in best.missing_baselines.items()]
        lines += [f"also: {text}" for text in (*others, *missing)]
    if best.estimate and best.correct:
        lines += npu.estimate_lines(best.estimate)
    if best.reason:
        lines.append(f"reason: {best.reason}")
    if best.build and not best.usable and best.build.log:
        lines.append(f"build log:\n{best.build.log}")
    return lines


def _check_grid(checks: tuple[Check, ...]) -> Grid:
    columns = ("workload", "status", "max |error|", "max relative", "detail")
    rows = [
        (c.workload_id, str(c.status), _figure(c.max_abs_error), _figure(c.max_rel_error), c.detail)
        for c in checks
    ]
    return Grid(columns, rows, title="checks", right=frozenset(columns[2:4]))


def _attempt_grid(attempts: tuple[Attempt, ...], label: str) -> Grid:
    """`label`: what the figures are, where they are modelled."""
    speedup = "speedup" if label else "speedup [95 % CI]"
    columns = ("prompt", "step", "kernel", "status", "score", speedup, "reason")
    rows = [
        (
            a.candidate_hash if a.candidate is None else f"#{a.candidate}",
            a.step,
            a.kernel or NOTHING,
            a.status,
            f"{a.score:.3f}",
            speedup_text(a.speedup),
            a.reason,
        )
        for a in attempts
    ]
    return Grid(
        columns,
        rows,
        title=f"attempts: {label}" if label else "attempts",
        right=frozenset({"score", speedup}),
    )


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"
