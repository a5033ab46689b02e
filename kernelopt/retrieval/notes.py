"""Notes of the manual index: Markdown files with a front matter, one topic each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kernelopt.errors import ConfigError

_FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Note:
    """One topic."""

    name: str
    """The file's path within the index, for example ``cpu/restrict.md``."""
    title: str
    targets: tuple[str, ...]
    """``cpu``, ``cuda``, ``triton``, ``cupy``, ``npu``."""
    tags: tuple[str, ...]
    errors: tuple[re.Pattern[str], ...]
    """Patterns of error messages and complaints that this note answers."""
    source: str
    """Document, section and version that the facts come from."""
    text: str


def read_notes(folder: Path) -> list[Note]:
    """Every note below `folder`, in the order of their names.

    Raises:
        ConfigError: a note lacks a field, or a pattern in it does not compile; names the file.
    """
    return [
        parse(path.relative_to(folder).as_posix(), path.read_text()) for path in sorted(folder.rglob("*.md"))
    ]


def parse(name: str, content: str) -> Note:
    """One note from its text.

    Raises:
        ConfigError: see `read_notes`.
    """
    import yaml

    found = _FRONT.match(content)
    front = yaml.safe_load(found[1]) if found else None
    if not found or not isinstance(front, dict):
        raise ConfigError(f"{name}: the note has no front matter between --- lines")
    missing = [field for field in ("title", "targets", "tags", "source") if not front.get(field)]
    if missing:
        raise ConfigError(f"{name}: the note lacks {', '.join(missing)}")
    try:
        errors = tuple(re.compile(pattern, re.IGNORECASE) for pattern in front.get("errors") or ())
    except re.error as error:
        raise ConfigError(f"{name}: an error pattern does not compile: {error}") from error
    return Note(
        name=name,
        title=str(front["title"]),
        targets=tuple(front["targets"]),
        tags=tuple(front["tags"]),
        errors=errors,
        source=str(front["source"]),
        text=found[2].strip(),
    )
