"""A task of the suite → what the judge needs of it: spec, vectors, and the scalar kernel.

A task carries its prompt and where it came from, so that it survives a run's manifest; the rest is found
again from those: in the bundled data, or in the official file that the task names as its origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernelopt.errors import TaskError
from kernelopt.npu import Spec, Vectors, official
from kernelopt.npu import spec as bundle
from kernelopt.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One kernel to be written."""

    spec: Spec
    entry: bundle.Entry | None = None
    """Of the bundled suite; None for official ones."""
    given: tuple[Vectors, ...] = ()
    """Vectors of the official file."""

    def vectors(self, fresh: str) -> tuple[Vectors, ...]:
        """What a kernel of the hash `fresh` is run on; the official file has its own and no others."""
        return self.given if self.entry is None else bundle.vectors(self.entry, fresh)

    def scalar(self) -> str | None:
        """The bundled scalar kernel; None where the official file changed what is to be computed."""
        own = bundle.bundled().get(self.spec.kernel)
        same = own and [(b.shape, b.dtype) for b in own.spec.buffers] == [
            (b.shape, b.dtype) for b in self.spec.buffers
        ]
        return bundle.scalar(self.spec.kernel) if same else None


def problem(task: Task) -> Problem:
    """The problem behind a task of the suite `npueval`.

    Raises:
        TaskError: the task is of another suite, or its official file is gone or broken.
    """
    if task.origin.endswith(official.SUFFIX):
        row = official.read(Path(task.origin)).get(task.id)
        if row is None:
            raise TaskError(f"{task.origin} has no kernel {task.id}")
        return Problem(row.spec, None, row.vectors)
    entry = bundle.bundled().get(task.id)
    if entry is None:
        raise TaskError(f"task {task.id} of {task.suite} is none for kernels in aie; use --suite npueval")
    return Problem(entry.spec, entry)
