"""Prepared bad kernels: each fails, or is slow, for one planted cause that the feedback has to name.

The header of a file in ``bad_kernels/`` says ``# bad: CAUSE``, ``# task: NAME`` (of ``bad_kernels/tasks``)
and ``# names: EXPRESSION``, a regular expression that the first lines of the feedback must hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kernelopt.kernel import Kernel
from kernelopt.task import Task

FOLDER = Path(__file__).parent / "bad_kernels"
LINES = 15
"""Of what `kernelopt eval --explain` prints."""


@dataclass(frozen=True)
class BadKernel:
    name: str
    cause: str
    expression: str
    task: Task
    kernel: Kernel

    def is_named_in(self, text: str) -> bool:
        """Whether the planted cause stands in the first lines of what was printed."""
        top = "\n".join(text.splitlines()[:LINES])
        return bool(re.search(self.expression, top, re.IGNORECASE))


def bad_kernels() -> list[BadKernel]:
    """All of them, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.py"))]


def _read(path: Path) -> BadKernel:
    source = path.read_text(encoding="utf-8")
    header = dict(re.findall(r"^# (bad|task|names): (.+)$", source, re.MULTILINE))
    task = FOLDER / "tasks" / f"{header['task']}.py"
    return BadKernel(
        path.stem,
        header["bad"],
        header["names"],
        Task(id=f"bad/{task.stem}", name=task.stem, source=task.read_text(encoding="utf-8"), suite="bad"),
        # Without its header: the names of the cause must not come from there.
        Kernel.from_source(re.sub(r"\A(?:#.*\n)+", "", source), "cpp"),
    )
