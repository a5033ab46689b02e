"""Runs whose kernels are judged by a model of an NPU: NPUEval's aggregates, each with the model's label.

As published: functional is passes over tasks; vectorization is the mean over *all* tasks of the vector score,
with failures as 0; cycles are a mean over passing tasks.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kernelopt.evaluation import MODELLED, Estimate, Evaluation
from kernelopt.report.page import Grid
from kernelopt.report.scores import geometric_mean
from kernelopt.report.view import RunView, TaskView

LANGUAGE = "aie"
LABEL = MODELLED
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """NPUEval's figures over a set of tasks."""

    n: int
    """Tasks that count, failures included."""
    passed: int
    functional: float
    """``passed / n``."""
    vectorization: float
    """Mean vector score over all `n`, failures as 0."""
    vectorization_legacy: float
    """The same with the decoder of the published figures."""
    mean_cycles: float | None
    """Over the passing ones."""
    speedup: float | None
    """Geometric mean over the passing ones, against the scalar kernels."""
    label: str = LABEL
    """What every figure but the first three is."""


def is_npu(view: RunView) -> bool:
    """Whether a run's kernels were judged by the model."""
    return view.manifest.get("language") == LANGUAGE


def kernel_file(view: RunView, task: TaskView) -> Path:
    """Where the best kernel of a task lies, in any run."""
    return view.folder / "kernels" / f"{task.slug}{'.cc' if is_npu(view) else '.py'}"


def aggregate(results: Sequence[Evaluation | None]) -> Aggregate:
    """The figures of one result a task; None where there is none."""
    passing = [one for one in results if one and one.correct]
    estimates = [one.estimate for one in passing if one.estimate]
    count = len(results)
    return Aggregate(
        n=count,
        passed=len(passing),
        functional=len(passing) / count if count else 0.0,
        vectorization=sum(one.vector_score for one in estimates) / count if count else 0.0,
        vectorization_legacy=sum(one.vector_score_legacy for one in estimates) / count if count else 0.0,
        mean_cycles=statistics.mean(one.cycles for one in estimates) if estimates else None,
        speedup=geometric_mean([one.speedup for one in estimates]),
    )


def winners(tasks: Sequence[TaskView]) -> Aggregate:
    """Over the best kernels."""
    return aggregate([task.best for task in tasks if not task.skipped])


def seeds(tasks: Sequence[TaskView]) -> Aggregate:
    """Over what the seed prompt wrote."""
    return aggregate([seed_evaluation(task) for task in tasks if not task.skipped])


def seed_evaluation(task: TaskView) -> Evaluation | None:
    """The evaluation of the seed prompt's best kernel of a task."""
    kernel = task.seed.kernel if task.seed else None
    return task.evaluations.get(kernel) if kernel else None


def as_json(view: RunView) -> Mapping[str, object] | None:
    """For the report's JSON; None for other runs."""
    if not is_npu(view):
        return None
    return {"winners": asdict(winners(view.tasks)), "seed": asdict(seeds(view.tasks))}


def estimate_json(evaluation: Evaluation | None) -> dict[str, object] | None:
    """A correct kernel's figures with their label, for JSON."""
    estimate = evaluation.estimate if evaluation and evaluation.correct else None
    if estimate is None:
        return None
    return {**asdict(estimate), "modelled_speedup": estimate.speedup.median if estimate.speedup else None}


def estimate_lines(estimate: Estimate) -> list[str]:
    """One kernel's figures, for people."""
    speedup = estimate.speedup
    compared = f", {speedup.median:.1f}× the scalar kernel's speed" if speedup else ""
    return [
        f"cycles: {estimate.cycles:.0f}{compared}; {estimate.machine}, {estimate.label}",
        f"vector score: {100 * estimate.vector_score:.1f} % "
        f"({100 * estimate.vector_score_legacy:.1f} % with the decoder of the published figures)",
    ]


def task_grid(tasks: Sequence[TaskView], winner_text: Callable[[TaskView], str]) -> Grid:
    """One row a task."""
    columns = ("task", "status", "cycles", "scalar", "speedup", "vector score", "legacy", "seed", "winner")
    rows = [
        (task.id, task.status, *_figures(task.best), _score(seed_evaluation(task)), winner_text(task))
        for task in tasks
    ]
    return Grid(columns, rows, title=f"cycles and vector scores: {LABEL}", right=frozenset(columns[2:8]))


def score_grid(view: RunView) -> Grid:
    """NPUEval's aggregates for the best kernels and for the seed prompt's."""
    columns = ("scores", "tasks", "functional", "vectorization", "legacy", "mean cycles", "speedup")
    rows = []
    for group, tasks in view.groups.items():
        suffix = "" if group == "all" else f", {group}"
        rows.append(_row(f"best kernels{suffix}", winners(tasks)))
        rows.append(_row(f"seed prompt{suffix}", seeds(tasks)))
    title = f"functional: passes / tasks; vectorization: mean vector score, failures as 0, {LABEL}"
    return Grid(columns, rows, title=title, right=frozenset(columns[1:]))


def _row(name: str, found: Aggregate) -> tuple[str, ...]:
    cycles = NOTHING if found.mean_cycles is None else f"{found.mean_cycles:.0f}"
    speedup = NOTHING if found.speedup is None else f"{found.speedup:.2f}×"
    return (
        name,
        str(found.n),
        f"{100 * found.functional:.1f} %",
        f"{100 * found.vectorization:.1f} %",
        f"{100 * found.vectorization_legacy:.1f} %",
        cycles,
        speedup,
    )


def _figures(evaluation: Evaluation | None) -> tuple[str, str, str, str, str]:
    estimate: Estimate | None = evaluation.estimate if evaluation and evaluation.correct else None
    if estimate is None:
        return (NOTHING,) * 5
    scalar = NOTHING if estimate.baseline_cycles is None else f"{estimate.baseline_cycles:.0f}"
    speedup = NOTHING if estimate.speedup is None else f"{estimate.speedup.median:.1f}×"
    legacy = f"{100 * estimate.vector_score_legacy:.1f} %"
    return f"{estimate.cycles:.0f}", scalar, speedup, f"{100 * estimate.vector_score:.1f} %", legacy


def _score(evaluation: Evaluation | None) -> str:
    """The seed prompt's vector score, or how it ended."""
    if evaluation is None:
        return NOTHING
    estimate = evaluation.estimate if evaluation.correct else None
    return f"{100 * estimate.vector_score:.1f} %" if estimate else str(evaluation.status)
