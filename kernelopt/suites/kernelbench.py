"""KernelBench: an official copy where there is one, else the bundled set of our own.

Looked for in this order: ``--suite-path``, the folder in ``KERNELBENCH_ROOT``, a copy in Hugging
Face's cache, the bundled tasks. Nothing is downloaded unless the user asks for `fetch`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kernelopt import resources
from kernelopt.errors import UnknownName, UsageError
from kernelopt.suites import SuiteOptions, _hub, _official
from kernelopt.suites._module import read_task
from kernelopt.suites._select import Entry, choose, narrow
from kernelopt.task import Provenance, Task

BUNDLED = "kernelbench-core"
"""Name of the bundled set; as a suite name it asks for that set and no other."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the tasks come from."""

    suite: str
    entries: list[Entry]
    version: str = ""
    """``commit 423217d`` or ``revision 1a2b3c4``."""
    notes: list[str] = field(default_factory=list)


class KernelBench:
    """The suite `kernelbench`, and under the name `kernelbench-core` its bundled set only."""

    name = "kernelbench"

    def __init__(self, spec: str = name, options: SuiteOptions | None = None) -> None:
        self.name = spec
        self._options = options or SuiteOptions()

    def missing(self) -> str | None:
        """What keeps the suite from loading and how to mend it, or None."""
        try:
            return None if self._source.entries else "no tasks are installed; reinstall kernelopt"
        except (UsageError, FileNotFoundError) as error:
            return str(error)

    def provenance(self) -> Provenance:
        """Which task set this is, after selection."""
        source, shrunk = self._source, self._shrunk
        bundled, complete = source.suite == BUNDLED, _official.complete(source.entries)
        official = [self._levels(), "" if complete else "incomplete", source.version]
        details = ["bundled"] if bundled else official
        return Provenance(
            suite=source.suite,
            official=complete and not bundled and not shrunk,
            tasks=len(self._tasks),
            detail=", ".join(part for part in details if part),
            shrunk=shrunk,
        )

    def tasks(self) -> Iterator[Task]:
        """The selected tasks, by level and number.

        Raises:
            TaskError: a task file cannot be read or does not keep the contract.
            UnknownName: a selected level, id, tag or size does not exist.
            ConfigError: `size` or `shrink` does not fit these tasks.
        """
        return iter(self._tasks)

    def notes(self) -> list[str]:
        """What was left out of the set, and why."""
        return list(self._source.notes)

    def fetch(self) -> Path:
        """Download the official set into Hugging Face's cache; returns its folder.

        Raises:
            MissingTool: a package that this needs is not installed.
            UsageError: the download failed.
        """
        folder = _hub.fetch()
        self.__dict__.pop("_source", None)
        return folder

    @property
    def _shrunk(self) -> int | None:
        shrink = self._options.shrink
        return shrink if shrink and shrink > 1 else None

    @cached_property
    def _source(self) -> _Source:
        if self.name == BUNDLED:
            return _bundled([])
        return _checkout(self._options.path) or _cached() or _bundled(_unread())

    @cached_property
    def _tasks(self) -> list[Task]:
        suite = self._source.suite
        chosen = choose(self._source.entries, self._options, suite)
        if self._options.subset is None:
            chosen = chosen[: self._options.limit]  # later files need not even be readable
        return narrow((read_task(entry, suite, self._options) for entry in chosen), self._options, suite)

    def _levels(self) -> str:
        levels = sorted({str(task.level) for task in self._tasks})
        return f"level{'s' if len(levels) > 1 else ''} {'+'.join(levels)}" if levels else ""


def _checkout(path: Path | None) -> _Source | None:
    """The checkout that the user named; None where none was named."""
    said = "--suite-path" if path else "KERNELBENCH_ROOT"
    path = path or (Path(root) if (root := os.environ.get("KERNELBENCH_ROOT")) else None)
    if path is None:
        return None
    folder = _official.levels_folder(path.expanduser())
    if folder is None:
        raise UnknownName(f"{said} {path} holds no KernelBench/level1 or level1; give an official checkout")
    entries, notes = _official.entries(folder, official=True)
    if not entries:
        raise UnknownName(f"{said} {path} holds no task files such as level1/23_Softmax.py")
    commit = _official.commit(folder)
    return _Source("kernelbench", entries, f"commit {commit}" if commit else "commit unknown", notes)


def _cached() -> _Source | None:
    snapshot = _hub.cached()
    if snapshot is None or not _hub.readable():
        return None
    return _Source("kernelbench", _hub.entries(snapshot), f"revision {snapshot.name[:7]}")


def _unread() -> list[str]:
    """Says why a cached copy is passed over."""
    snapshot = _hub.cached()
    return [] if snapshot is None or _hub.readable() else [_hub.unread_note(snapshot)]


def _bundled(remarks: list[str]) -> _Source:
    core = resources.folder("benchmarks") / "kernelbench" / "core"
    entries, notes = _official.entries(core, official=False)
    return _Source(BUNDLED, entries, notes=[*remarks, *notes])


PLUGIN = KernelBench
