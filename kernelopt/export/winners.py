"""Where winners come from: a run, or a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernelopt.errors import UnknownName, UsageError
from kernelopt.export import Winner
from kernelopt.kernel import Kernel
from kernelopt.report.view import CandidateView, RunView, TaskView
from kernelopt.store.run import Run
from kernelopt.task import Task


def of_run(run: Run, view: RunView, tasks: Mapping[str, Task], only: Sequence[str] = ()) -> list[Winner]:
    """The best correct kernel of each task of a run, or of those that `only` names.

    Args:
        run: open for reading.
        view: what it holds.
        tasks: the run's tasks by slug, their text as it was judged.
        only: ids, slugs or names of tasks.

    Raises:
        UnknownName: `only` names a task that the run has not.
        UsageError: a task named in `only` was not solved, or none was at all.
    """
    chosen = [_named(view, name) for name in only] if only else [task for task in view.tasks if _solved(task)]
    if unsolved := [task.id for task in chosen if not _solved(task)]:
        raise UsageError(f"{view.name}: no correct kernel for {', '.join(unsolved)}; see `kernelopt report`")
    if not chosen:
        raise UsageError(f"{view.name}: no task has a correct kernel yet; see `kernelopt report`")
    return [_winner(run, view, task, tasks) for task in chosen]


def _solved(task: TaskView) -> bool:
    return bool(task.best and task.best.correct and task.source)


def _named(view: RunView, name: str) -> TaskView:
    for task in view.tasks:
        if name in (task.id, task.slug, task.name):
            return task
    raise UnknownName(
        f"{view.name}: no task {name!r}; there are: {', '.join(task.id for task in view.tasks)}"
    )


def _winner(run: Run, view: RunView, task: TaskView, tasks: Mapping[str, Task]) -> Winner:
    if task.slug not in tasks:
        raise UsageError(
            f"{view.name}: the text of task {task.id} is not known here; is its suite installed?"
        )
    assert task.best is not None and task.source is not None
    kernel = Kernel.from_source(run.artifacts.get(task.source), task.best.language)
    return Winner(tasks[task.slug], kernel, task.best, lineage(view, task))


def lineage(view: RunView, task: TaskView) -> dict[str, Any]:
    """Which prompts a winner comes from: its candidate, that one's ancestors, and the models."""
    models = view.manifest.get("models") or {}
    found: dict[str, Any] = {"run": view.name, "model": str(models.get("lm", "")), "models": dict(models)}
    by_index = {candidate.index: candidate for candidate in view.candidates}
    if task.winner is None:
        return {**found, "candidate": task.winner_hash, "prompts": []}
    return {
        **found,
        "candidate": task.winner_hash,
        "prompts": [_prompt(one) for one in _ancestry(by_index, task.winner)],
    }


def _ancestry(by_index: Mapping[int, CandidateView], start: int) -> list[CandidateView]:
    """A candidate and all that it comes from, nearest first."""
    order: list[int] = []
    waiting = [start]
    while waiting:
        index = waiting.pop(0)
        if index in by_index and index not in order:
            order.append(index)
            waiting += by_index[index].parents
    return [by_index[index] for index in order]


def _prompt(candidate: CandidateView) -> dict[str, Any]:
    return {
        "index": candidate.index,
        "hash": candidate.hash,
        "how": candidate.how,
        "parents": list(candidate.parents),
    }
