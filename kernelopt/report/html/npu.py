"""Cycles and vectorization of NPU kernels, labelled with how they came about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kernelopt.evaluation import Evaluation, Profile
from kernelopt.report.html.scale import number
from kernelopt.report.table import NOTHING
from kernelopt.report.view import RunView, TaskView

ESTIMATED = "estimated (host model)"
HARDWARE = "hardware"


@dataclass(frozen=True, slots=True)
class Tile:
    """A task's best kernel on an NPU."""

    task: TaskView
    cycles: str
    baseline_cycles: str
    speedup: str
    """Of the scalar kernel's cycles over this one's."""
    vectorization: float | None
    """In [0, 1]: the vector score."""
    label: str
    """``hardware``, or `ESTIMATED` for what no hardware measured."""
    schedule: str
    """Where the cycles go: the hot loop as the tool saw it; may be empty."""


def tiles(view: RunView) -> list[Tile]:
    """Rows for those winners whose cycles or vectorization are known; none for other runs."""
    return [tile for task in view.tasks for tile in _tile(task)]


def vectorization(tasks: Sequence[TaskView]) -> float:
    """Mean vector score over all tasks that count, failures as 0, as NPUEval defines it."""
    counted = [task for task in tasks if not task.skipped]
    scores = [tile.vectorization or 0.0 for task in counted for tile in _tile(task)]
    return sum(scores) / len(counted) if counted else 0.0


def estimate_of(evaluation: Evaluation) -> dict[str, Any] | None:
    """What a model of the device says of a correct kernel, with its label; None where there is none."""
    found = getattr(evaluation, "estimate", None) if evaluation.correct else None
    return dataclasses.asdict(found) if found is not None else None


def _tile(task: TaskView) -> Iterator[Tile]:
    best = task.best
    if best is None or not best.correct:
        return
    counted = (p for p in best.profiles if {"cycles", "vector_score"} & set(p.metrics))
    profile = next(counted, None)
    known: dict[str, Any] = estimate_of(best) or (dict(profile.metrics) if profile else {})
    if not known:
        return
    cycles, before = known.get("cycles"), known.get("baseline_cycles")
    yield Tile(
        task,
        NOTHING if cycles is None else number(cycles),
        NOTHING if before is None else number(before),
        f"{before / cycles:.1f}×" if before and cycles else NOTHING,
        known.get("vector_score"),
        known.get("label") or _label(best, profile),
        profile.text if profile else "",
    )


def _label(best: Evaluation, profile: Profile | None) -> str:
    """Hardware only where both the device and the tool say so: an estimate must never look measured."""
    words = f"{best.device} {profile.tool if profile else ''} {profile.text if profile else ''}".lower()
    measured = HARDWARE in words and not any(word in words for word in ("estimat", "model", "simulat"))
    return HARDWARE if measured else ESTIMATED
