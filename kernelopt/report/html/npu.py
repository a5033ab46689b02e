"""Cycles and vectorization of NPU kernels, labelled with how they came about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kernelopt.evaluation import Profile
from kernelopt.report.html.scale import number
from kernelopt.report.table import NOTHING
from kernelopt.report.view import RunView, TaskView

ESTIMATED = "estimated (host model)"


@dataclass(frozen=True, slots=True)
class Tile:
    """A task's best kernel on an NPU."""

    task: TaskView
    cycles: str
    reference_cycles: str
    vectorization: float | None
    """In [0, 1]: the share that NPUEval calls the vectorization score."""
    label: str
    """``hardware``, or `ESTIMATED` for what no hardware measured."""


def tiles(view: RunView) -> list[Tile]:
    """Rows for those winners whose profiles count cycles or vectorization; none for other runs."""
    return [tile for task in view.tasks for tile in _tile(task)]


def _tile(task: TaskView) -> Iterator[Tile]:
    profiles = task.best.profiles if task.best and task.best.correct else ()
    for profile in profiles:
        cycles = _metric(profile, "cycles", "candidate_cycles", "estimated_cycles")
        score = _metric(profile, "vectorization_score", "vectorization")
        if cycles is None and score is None:
            continue
        before = _metric(profile, "reference_cycles")
        yield Tile(
            task,
            NOTHING if cycles is None else number(cycles),
            NOTHING if before is None else number(before),
            score,
            _label(task, profile),
        )
        return


def _metric(profile: Profile, *names: str) -> float | None:
    return next((profile.metrics[name] for name in names if name in profile.metrics), None)


def _label(task: TaskView, profile: Profile) -> str:
    """Hardware only where both the device and the tool say so: an estimate must never look measured."""
    device = task.best.device if task.best else ""
    words = f"{device} {profile.tool} {profile.text}".lower()
    measured = "hardware" in words and not any(word in words for word in ("estimat", "model", "simulat"))
    return "hardware" if measured else ESTIMATED
