"""Name → tasks: the protocol of a suite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kernelopt.task import Provenance, Task


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """What the user may say about a suite; the same for every suite."""

    path: Path | None = None
    """``--suite-path``: where an official checkout or data file lies."""
    levels: tuple[int, ...] = ()
    """``--levels``: empty means all."""
    tasks: tuple[str, ...] = ()
    """``--tasks``: ids; empty means all."""
    subset: str | None = None
    """``--subset representative``: a tag that tasks must carry."""
    size: str | None = None
    """``--size cpu|gpu``: named sizes of bundled tasks; None means `default_size`.

    An error for tasks without named sizes.
    """
    default_size: str = "cpu"
    """Named size where the user asked for none: ``gpu`` when kernels are meant for one. Tasks without
    named sizes ignore it."""
    shrink: int | None = None
    """``--shrink N``: divide leading size constants of official tasks."""
    limit: int | None = None
    """``--limit``: keep the first so many."""


class Suite(Protocol):
    """A named set of tasks. `PLUGIN(spec, options)` makes one."""

    name: str

    def missing(self) -> str | None:
        """What keeps the suite from loading and how to mend it, or None."""

    def provenance(self) -> Provenance:
        """Which task set this is, after selection."""

    def tasks(self) -> Iterator[Task]:
        """The selected tasks, in suite order.

        Raises:
            TaskError: a task file cannot be read.
            UnknownName: a selected id does not exist.
        """

    def notes(self) -> list[str]:
        """What was left out and why, one line each; for people, after `tasks` was asked."""
