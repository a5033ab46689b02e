"""The corpus as data: what the header of each file says.

Line one is ``# cheat: CLASS: SENTENCE`` or ``# honest: STYLE: SENTENCE``, line two ``# task: ID``; then,
where they apply, ``# caught: static: REASON`` (only a look at the text can tell; ``run``: at what
ran) and ``# needs: SANDBOX`` (weaker ones let it do what it says). README.md describes them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from kernelopt.errors import ConfigError
from kernelopt.suites import SuiteOptions
from kernelopt.suites._open import open_suite
from kernelopt.task import Task

HERE = Path(__file__).resolve().parent
KINDS = ("cheat", "honest")
NOTES = ("caught", "needs")
BUNDLED, LOCAL = "kernelbench-core", "local/"


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer module of the corpus."""

    path: Path
    kind: str
    """``cheat`` or ``honest``."""
    cls: str
    """Class of the cheat, or style of the honest kernel."""
    summary: str
    """What it does, in one sentence."""
    task_id: str
    """Id in the bundled suite, or ``local/NAME`` for ``tasks/NAME.py``."""
    caught: str = ""
    """``static`` when nothing but the look at the text can tell, ``run`` at what ran; else empty."""
    needs: str = ""
    """The weakest sandbox that stops it, where ``process`` does not; else empty."""

    @property
    def source(self) -> str:
        """The answer's text."""
        return self.path.read_text(encoding="utf-8")


def entries(folder: Path) -> list[Entry]:
    """The answers in `folder`, by name.

    Raises:
        ConfigError: a header is malformed.
    """
    return [_read(path) for path in sorted(folder.glob("*.py"))]


def load_task(entry: Entry) -> Task:
    """The task that an entry answers, bundled ones at size ``cpu``."""
    return _task(entry.task_id)


@functools.cache
def _task(task_id: str) -> Task:
    if not task_id.startswith(LOCAL):
        (task,) = open_suite(BUNDLED, SuiteOptions(tasks=(task_id,), size="cpu")).tasks()
        return task
    path = HERE / "tasks" / f"{task_id.removeprefix(LOCAL)}.py"
    return Task(id=task_id, name=path.stem, source=path.read_text(encoding="utf-8"), suite="corpus")


def _read(path: Path) -> Entry:
    header = _header(path)
    kind, first = next(iter(header.items()), ("", ""))
    cls, _, summary = first.partition(": ")
    if kind not in KINDS or not cls or not summary:
        raise ConfigError(
            f"{path.name}: the first line must be '# cheat: CLASS: SENTENCE' (or '# honest: ...')"
        )
    if list(header)[1:2] != ["task"]:
        raise ConfigError(f"{path.name}: the second line must be '# task: ID'")
    unknown = set(header) - {kind, "task", *NOTES}
    if unknown:
        raise ConfigError(f"{path.name}: unknown line '# {min(unknown)}:' in the header")
    notes = {name: header.get(name, "").partition(":")[0].strip() for name in NOTES}
    return Entry(path, kind, cls, summary, header["task"], **notes)


def _header(path: Path) -> dict[str, str]:
    """The leading comment lines that read ``# name: text``."""
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, colon, text = line.removeprefix("#").strip().partition(": ")
        if not line.startswith("#") or not colon or " " in name:
            break
        found[name] = text
    return found
