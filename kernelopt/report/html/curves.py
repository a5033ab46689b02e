"""fast_p over p, and progress over rollouts, dollars and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kernelopt.evaluation import Speedup, Status
from kernelopt.report.history import History, Step
from kernelopt.report.html.kind import Kind
from kernelopt.report.html.plot import Line, Plot, across, steps, upward
from kernelopt.report.html.scale import counted, number
from kernelopt.report.page import Grid
from kernelopt.report.scores import fast_p
from kernelopt.report.view import RunView, TaskView

HIGHEST_P = 3.0
_TABLE_P = (0.0, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0)
_Results = list[Speedup | None]


def fast_p_plots(view: RunView) -> list[Plot]:
    """A curve for each part of the task set that has a result that was timed."""
    plots = [_fast_p_plot(name, tasks) for name, tasks in view.groups.items()]
    return [plot for plot in plots if plot]


def progress_plots(view: RunView, past: History, what: Kind) -> list[Plot]:
    """Solved and faster tasks over rollouts, over dollars where any were spent, and over time."""
    tasks = sum(not task.skipped for task in view.tasks)
    if not past.steps or not tasks:
        return []
    money = _cost_words(view)
    kinds: list[tuple[str, str, str, Callable[[Step], float]]] = [
        ("rollouts", "rollouts", "", lambda step: step.rollouts),
        ("dollars", f"US dollars, both models{money}", "$", lambda step: step.cost_usd),
        ("time", "minutes at work", "", lambda step: step.seconds / 60.0),
    ]
    if not past.steps[-1].cost_usd:
        del kinds[1]
    return [_progress(kind, label, mark, read, past, tasks, what) for kind, label, mark, read in kinds]


def baselines(tasks: Sequence[TaskView]) -> dict[str, _Results]:
    """Baseline to one result for each task that counts; None where it has no figure."""
    counted = [task for task in tasks if not task.skipped]
    names: dict[str, None] = {}
    found: list[dict[str, Speedup]] = []
    for task in counted:
        best = task.best if task.best and task.best.correct and task.best.timing else None
        timings = [best.timing, *best.baselines] if best else []
        found.append({timing.baseline: timing.speedup for timing in timings if timing})
        names.update(dict.fromkeys(found[-1]))
    return {name: [results.get(name) for results in found] for name in names}


def _fast_p_plot(group: str, tasks: Sequence[TaskView]) -> Plot | None:
    curves = baselines(tasks)
    if not curves:
        return None
    seeds = [
        t.seed.speedup if t.seed and t.seed.status == Status.PASSED else None for t in tasks if not t.skipped
    ]
    x = across(0.0, HIGHEST_P, "p: times as fast as the baseline", unit="×")
    y = upward(0.0, 1.0, "share of tasks", steps=(0, 0.25, 0.5, 0.75, 1))
    lines, rows = [], []
    named = [(name, results, f"c{index}") for index, (name, results) in enumerate(curves.items())]
    for name, results, colour in [*named, ("seed prompt", seeds, "muted")]:
        for strict in (True, False):
            label = f"{name}, {'strict' if strict else 'point estimate'}"
            if name == "seed prompt" and not strict:
                continue
            points = [(x(p), y(fast_p(results, p, strict))) for p in _corners(results, strict)]
            lines.append(Line(label, steps(points), colour if strict else f"{colour} dashed"))
            rows.append((label, *(f"{fast_p(results, p, strict):.2f}" for p in _TABLE_P)))
    part = "" if group == "all" else f", {group} tasks"
    first, results = next(iter(curves.items()))
    return Plot(
        id=f"fast-p-{group}",
        title=f"fast_p{part}",
        summary=f"Of {counted(len(results), 'task')}, {fast_p(results, 1.0):.0%} have a kernel that is "
        f"correct and faster than {first} with the whole interval, {fast_p(results, 2.0):.0%} one that is "
        "twice as fast.",
        x=x,
        y=y,
        lines=lines,
        table=Grid(("curve", *(f"p = {p:g}" for p in _TABLE_P)), rows, right=frozenset()),
        guides=(Line("parity", f"M{x(1):g} {y(0):g}V{y(1):g}", ""),),
        note="Strict counts a task when the lower end of its 95 % interval exceeds p; the point estimate "
        "when the median does, as KernelBench counts. Failed tasks count as 0.",
    )


def _corners(results: _Results, strict: bool) -> list[float]:
    """Where the staircase may step: just at each result, since fast_p wants strictly more."""
    figures = {(r.ci95_low if strict else r.median) for r in results if r}
    return [0.0, *sorted(value for value in figures if 0.0 < value < HIGHEST_P), HIGHEST_P]


def _progress(
    kind: str,
    label: str,
    mark: str,
    read: Callable[[Step], float],
    past: History,
    tasks: int,
    what: Kind,
) -> Plot:
    x = across(0.0, max(read(past.steps[-1]), 1e-9), label)
    y = upward(0.0, 1.0, "share of tasks", steps=(0, 0.25, 0.5, 0.75, 1))
    kinds: list[tuple[str, str, Callable[[Step], int]]] = [(what.solved, "c2", lambda step: step.correct)]
    if what.timed:
        kinds.append(("faster, strict", "c0", lambda step: step.faster))
        kinds.append(("faster, point estimate", "c0 dashed", lambda step: step.faster_point))
    lines = []
    for name, style, count in kinds:
        points = [(x(0.0), y(0.0)), *((x(read(step)), y(count(step) / tasks)) for step in past.steps)]
        lines.append(Line(name, steps(points), style))
    chosen = _sample(past.steps)
    rows = [
        (mark + number(read(step)), *(f"{count(step)} of {tasks}" for _, _, count in kinds))
        for step in chosen
    ]
    last = past.steps[-1]
    return Plot(
        id=f"progress-{kind}",
        title=f"Progress over {kind}",
        summary=f"After {mark}{number(read(last))}{'' if mark else ' ' + label}, {last.correct} of "
        + f"{counted(tasks, 'task')} are {what.solved}"
        + (f" and {last.faster} faster with the whole interval." if what.timed else "."),
        x=x,
        y=y,
        lines=lines,
        table=Grid((kind, *(name for name, _, _ in kinds)), rows),
        note="As the search measured it; winners are measured again at the end." if what.timed else "",
    )


def _sample(found: Sequence[Step], most: int = 10) -> list[Step]:
    """At most so many of them, evenly spread, the last one included."""
    stride = max(1, -(-len(found) // most))
    return [step for index, step in enumerate(found, 1) if index % stride == 0 or index == len(found)]


def _cost_words(view: RunView) -> str:
    return "" if view.budget.priced else " (at least: some prices are unknown)"
