"""What a run's verdicts are worth: measured, right but not timed, or compiled only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kernelopt.report.view import RunView

COMPILED = "COMPILED"
"""Status of a kernel that compiled where nothing is run."""
GOOD = ("PASSED", COMPILED)
"""Statuses of what a run is content with."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Decides which charts make sense."""

    timed: bool
    """Some kernel was measured by a clock."""
    runs: bool
    """Kernels are run and checked, not compiled only."""
    notes: tuple[str, ...]
    """Why nothing was timed, in the device's words."""

    @property
    def solved(self) -> str:
        """What the best kernels are called: ``correct`` or ``compiled``."""
        return "correct" if self.runs else "compiled"

    @property
    def stages(self) -> int:
        """How many levels the funnel has."""
        return 6 if self.timed else 5 if self.runs else 3


def kind(view: RunView) -> Kind:
    """From the manifest's ``conditions`` where it has them, else from the evaluations."""
    said = view.manifest.get("conditions")
    said = said if isinstance(said, Mapping) else {}
    timed = any(task.measured for task in view.tasks)
    compiled = any(task.status == COMPILED for task in view.tasks)
    notes = {task.best.reason for task in view.tasks if task.best and task.best.correct}
    if not said.get("timed", True):
        notes = {str(said.get("note") or "")}
    return Kind(timed, bool(said.get("runs", not compiled)), () if timed else tuple(sorted(notes - {""})))
