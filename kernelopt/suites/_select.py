"""Which tasks of a suite the user asked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kernelopt.errors import ConfigError, UnknownName
from kernelopt.suites import SuiteOptions
from kernelopt.task import Task


@dataclass(frozen=True, slots=True)
class Entry:
    """One task that has not been read yet."""

    id: str
    """``1/23`` or a file's stem."""
    name: str
    """``23_Softmax``."""
    origin: str
    """Path or data set row, for messages."""
    read: Callable[[], str]
    """Returns the module text; raises TaskError when it cannot."""
    level: int | None = None
    tags: tuple[str, ...] = ()
    """Tags that are known without reading the text."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """What a user may write for it: ``1/23``, ``1-23`` or ``23_Softmax``."""
        return self.id, self.id.replace("/", "-"), self.name


def choose(entries: Sequence[Entry], options: SuiteOptions, suite: str) -> list[Entry]:
    """The entries that `levels` and `tasks` select, in suite order.

    Raises:
        ConfigError: `limit` is not positive.
        UnknownName: a level or id does not exist, or the two exclude each other.
    """
    if options.limit is not None and options.limit < 1:
        raise ConfigError(f"--limit must be 1 or more, not {options.limit}")
    _check_levels(entries, options.levels, suite)
    inside = [entry for entry in entries if not options.levels or entry.level in options.levels]
    if not options.tasks:
        return inside
    asked = {_find(word, entries, suite).id for word in options.tasks}
    for entry in entries:
        if entry.id in asked and entry not in inside:
            levels = ", ".join(map(str, options.levels))
            raise UnknownName(f"task {entry.id} is not in level {levels}; drop --levels or the task")
    return [entry for entry in inside if entry.id in asked]


def narrow(tasks: Iterable[Task], options: SuiteOptions, suite: str) -> list[Task]:
    """The tasks that carry the tag `subset`, cut to `limit`.

    Raises:
        UnknownName: no task carries the tag; the message lists the tags there are.
    """
    tasks = list(tasks)
    if options.subset is not None:
        tags = sorted({tag for task in tasks for tag in task.tags})
        tasks = [task for task in tasks if options.subset in task.tags]
        if not tasks:
            known = f"tags here: {', '.join(tags)}" if tags else "its tasks carry no tags"
            raise UnknownName(f"no selected task of {suite} is tagged {options.subset!r}; {known}")
    return tasks[: options.limit]


def _check_levels(entries: Sequence[Entry], levels: tuple[int, ...], suite: str) -> None:
    known = sorted({entry.level for entry in entries if entry.level is not None})
    for level in levels:
        if level not in known:
            have = f"it has level {', '.join(map(str, known))}" if known else "its tasks have no levels"
            raise UnknownName(f"{suite} has no level {level}; {have}")


def _find(word: str, entries: Sequence[Entry], suite: str) -> Entry:
    found = [entry for entry in entries if word in entry.spellings]
    if len(found) > 1:
        raise UnknownName(f"{suite} has several tasks {word!r}; write {' or '.join(e.id for e in found)}")
    if not found:
        raise UnknownName(f"{suite} has no task {word!r}; {_near(word, entries)}")
    return found[0]


def _near(word: str, entries: Sequence[Entry]) -> str:
    """Ids of the tasks whose id or name resembles `word`, or the range of ids."""
    ids = [entry.id for entry in entries]
    close = difflib.get_close_matches(word, [*ids, *(entry.name for entry in entries)], n=5, cutoff=0.6)
    near = [entry.id for match in close for entry in entries if match in (entry.id, entry.name)]
    if near:
        return f"did you mean {', '.join(dict.fromkeys(near))}?"
    return f"there are {', '.join(ids)}" if len(ids) <= 8 else f"there are {ids[0]} to {ids[-1]}"
