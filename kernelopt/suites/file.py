"""The user's own tasks: one Python file, or a folder of them.

Each file is a task in KernelBench's contract, and its stem is the task's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path

from kernelopt.errors import ConfigError, TaskError, UnknownName, UsageError
from kernelopt.suites import SuiteOptions, _official
from kernelopt.suites._module import check, read_task, read_text
from kernelopt.suites._select import Entry, choose, narrow
from kernelopt.task import Provenance, Task


class FileSuite:
    """A ``.py`` file or a folder; `spec` is the path, or ``file`` with `options.path`."""

    name = "file"

    def __init__(self, spec: str = name, options: SuiteOptions | None = None) -> None:
        self._options = options or SuiteOptions()
        self._path = self._options.path if spec == self.name else Path(spec).expanduser()
        self._left_out: list[str] = []

    def missing(self) -> str | None:
        """What keeps the suite from loading and how to mend it, or None."""
        try:
            return None if self._entries else "no tasks"
        except UsageError as error:
            return str(error)

    def provenance(self) -> Provenance:
        """Which task set this is, after selection."""
        shrink = self._options.shrink
        return Provenance(
            suite=self.name,
            official=False,
            tasks=len(self._tasks),
            detail=self._root.resolve().name,
            shrunk=shrink if shrink and shrink > 1 else None,
        )

    def tasks(self) -> Iterator[Task]:
        """The selected tasks, by file name.

        Raises:
            TaskError: the file, or every file of the folder, does not keep the contract.
            UnknownName: the path, a selected id, tag or size does not exist.
            ConfigError: no path was given, or `size` or `shrink` does not fit a task.
        """
        return iter(self._tasks)

    def notes(self) -> list[str]:
        """The files of a folder that are no task modules, each with the reason."""
        return [f"left out: {reason}" for reason in self._left_out]

    @property
    def _root(self) -> Path:
        if self._path is None:
            raise ConfigError("name the file or folder: --suite path/to/file.py (or add --suite-path)")
        if not self._path.exists():
            raise UnknownName(f"there is no file or folder {self._path}")
        return self._path

    @cached_property
    def _entries(self) -> list[Entry]:
        root = self._root
        if root.is_file():
            return [_entry(root)]
        files = sorted(path for path in root.glob("*.py") if not path.name.startswith(("_", ".")))
        found = [entry for entry in map(_entry, files) if self._is_task(entry)]
        if not found:
            raise TaskError(self._nothing(root))
        return _distinct(found)

    @cached_property
    def _tasks(self) -> list[Task]:
        chosen = choose(self._entries, self._options, self.name)
        tasks = (read_task(entry, self.name, self._options) for entry in chosen)
        return narrow(tasks, self._options, self.name)

    def _is_task(self, entry: Entry) -> bool:
        """Whether the file keeps the contract; if not, the reason is noted.

        A file that was asked for by name raises instead.
        """
        try:
            check(entry.read(), entry.origin)
        except TaskError as error:
            if entry.id in self._options.tasks:
                raise
            self._left_out.append(str(error))
            return False
        return True

    def _nothing(self, root: Path) -> str:
        if _official.levels_folder(root):
            return f"{root} is laid out as KernelBench: use --suite kernelbench --suite-path {root}"
        if self._left_out:
            more = f" (and {len(self._left_out) - 1} more files)" if len(self._left_out) > 1 else ""
            return f"no file in {root} is a task: {self._left_out[0]}{more}"
        return f"{root} holds no .py file that defines class Model, get_inputs() and get_init_inputs()"


def _entry(path: Path) -> Entry:
    return Entry(path.stem, path.stem, str(path), partial(read_text, path))


def _distinct(entries: list[Entry]) -> list[Entry]:
    """The entries, after making sure that no two become the same name in a run directory."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", entry.id)
        if slug in seen:
            raise TaskError(f"{entry.origin} and {seen[slug].origin} would both be called {slug}; rename one")
        seen[slug] = entry
    return entries


PLUGIN = FileSuite
