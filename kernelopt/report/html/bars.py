"""One row for each task: its speedup with its interval, against parity and the speed of light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernelopt.evaluation import Evaluation, Profile
from kernelopt.report.html.scale import Axis, Tick, spread
from kernelopt.report.table import NOTHING, speedup_text, winner_text
from kernelopt.report.view import RunView, TaskView


@dataclass(frozen=True, slots=True)
class Bar:
    """Positions in per cent of the width."""

    start: float
    """The smaller one of parity and the speedup; the bar goes on for `width`."""
    width: float
    low: float
    high: float
    median: float
    light: float | None
    """The speed of light, where the task's bytes and FLOPs were counted."""
    style: str
    """``faster``, ``slower``, or ``even`` where the interval holds 1."""


@dataclass(frozen=True, slots=True)
class Row:
    """A task in the table."""

    task: TaskView
    speedup: str
    light: str
    winner: str
    seed: str
    bar: Bar | None
    order: float
    """Sorts by speedup: the lower end of its interval; failures below every success."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The table of tasks."""

    rows: Sequence[Row]
    parity: float
    """Position of 1×, in per cent."""
    ticks: Sequence[Tick]
    timed: bool
    lit: bool
    """Whether any row has a speed of light."""


def bars(view: RunView) -> Bars:
    """All tasks, those with the best speedups first, then failures in suite order."""
    figures = [1.0]
    for task in view.tasks:
        if task.measured:
            figures += [task.measured.ci95_low, task.measured.ci95_high]
            figures += [light] if (light := light_speedup(task)) else []
    axis = Axis(*spread(figures), 1.0, 99.0, log=True, unit="×")
    rows = sorted((_row(task, axis) for task in view.tasks), key=lambda row: -row.order)
    timed = any(row.bar for row in rows)
    return Bars(rows, axis(1.0), axis.ticks, timed, any(row.bar and row.bar.light for row in rows))


def roofline_profile(evaluation: Evaluation | None) -> Profile | None:
    """The measured kernel against the machine's roofs; None where the bound is not known."""
    found = (p for p in (evaluation.profiles if evaluation else ()) if p.tool == "roofline" and p.metrics)
    return next(found, None)


def light_speedup(task: TaskView) -> float | None:
    """The speedup that a kernel at the speed of light would have.

    The bound is a property of the task and the machine, so it stands against the reference's own time.
    """
    best = task.best
    searched = task.evaluations.get(best.kernel_hash) if best else None
    profile = roofline_profile(best) or roofline_profile(searched)
    timing = best.timing if best else None
    roof_ms = profile.metrics.get("roof_ms", 0.0) if profile else 0.0
    return timing.reference_ms / roof_ms if timing and roof_ms > 0 else None


def _row(task: TaskView, axis: Axis) -> Row:
    light = light_speedup(task) if task.measured else None
    mark = "~" if task.measured and not task.remeasured else ""
    return Row(
        task=task,
        speedup=mark + speedup_text(task.measured),
        light=f"{light:.2f}×" if light else NOTHING,
        winner=winner_text(task),
        seed=_seed(task),
        bar=_bar(task, axis, light),
        order=_order(task),
    )


def _seed(task: TaskView) -> str:
    """What the seed prompt reached: its speedup where that was measured, else how it ended."""
    if task.seed is None:
        return NOTHING
    return f"{task.seed.speedup.median:.2f}×" if task.seed.speedup and task.measured else task.seed.status


def _order(task: TaskView) -> float:
    if task.speedup:
        return task.speedup.ci95_low
    if task.skipped:
        return -2.0
    return 0.0 if task.best and task.best.correct else -1.0


def _bar(task: TaskView, axis: Axis, light: float | None) -> Bar | None:
    speedup = task.measured
    if not speedup:
        return None
    one, median = axis(1.0), axis(speedup.median)
    style = "faster" if speedup.ci95_low > 1.0 else "slower" if speedup.ci95_high < 1.0 else "even"
    return Bar(
        start=min(one, median),
        width=round(abs(median - one), 2),
        low=axis(speedup.ci95_low),
        high=axis(speedup.ci95_high),
        median=median,
        light=axis(light) if light else None,
        style=style,
    )
