"""The manual notes: Markdown files with a YAML head, one topic a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kernelopt.errors import ConfigError
from kernelopt.resources import folder

_FORM = re.compile(r"---\n(?P<head>.*?)\n---\n(?P<body>.*)", re.DOTALL)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same in C is ten times as fast, where PyYAML was built with it."""
_LISTS, _TEXTS = ("targets", "tags", "errors"), ("title", "source")


@dataclass(frozen=True, slots=True)
class Note:
    """What one file of the index says on one topic."""

    name: str
    """Path inside the index without its ending, such as ``cpu/remainder-loop``."""
    title: str
    targets: tuple[str, ...]
    """Devices that it holds for: ``cpu``, ``cuda`` ..."""
    tags: tuple[str, ...]
    errors: tuple[str, ...]
    """Regular expressions, case ignored, for messages and findings that the note answers."""
    source: str
    """Document, section and version that the facts come from."""
    text: str
    """Markdown."""


def read_notes(root: Path | None = None) -> list[Note]:
    """Every note under `root` (the bundled index by default), ordered by name.

    Raises:
        ConfigError: a note that does not keep the form; the message names the file and the field.
    """
    return [parse(name, text) for name, text in read_texts(root)]


def read_texts(root: Path | None = None) -> list[tuple[str, str]]:
    """(name, content) of every Markdown file under `root`, ordered by name; READMEs are no notes."""
    root = root or folder("docs_index")
    paths = (path for path in root.rglob("*.md") if path.stem.upper() != "README")
    found = ((path.relative_to(root).with_suffix("").as_posix(), path) for path in paths)
    return [(name, path.read_text(encoding="utf-8")) for name, path in sorted(found)]


def parse(name: str, text: str) -> Note:
    """The note `name` out of a file's content. Raises ConfigError as `read_notes` does."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ConfigError(f"note {name}: it must begin with YAML fields between two lines of ---")
    head = _head(name, form["head"])
    values = {field: head.pop(field, None) for field in (*_LISTS, *_TEXTS)}
    if head:
        raise ConfigError(f"note {name}: unknown field {min(map(str, head))!r}; remove it")
    for field in _TEXTS:
        if not isinstance(values[field], str) or not values[field].strip():
            raise ConfigError(f"note {name}: the field {field!r} must be a text; add it")
    lists: dict[str, Any] = {field: _strings(name, field, values[field]) for field in _LISTS}
    if not lists["targets"]:
        raise ConfigError(f"note {name}: the field 'targets' is empty; name a device")
    _check_patterns(name, lists["errors"])
    texts = {field: values[field].strip() for field in _TEXTS}
    return Note(name=name, text=form["body"].strip(), **texts, **lists)


def _head(name: str, text: str) -> dict[str, Any]:
    try:
        head = yaml.load(text, _LOADER)  # noqa: S506 - either of them is the safe one
    except yaml.YAMLError as problem:
        reason = " ".join(str(problem).split())
        raise ConfigError(f"note {name}: its fields are no YAML: {reason}") from problem
    if not isinstance(head, dict):
        raise ConfigError(f"note {name}: its head must hold fields such as 'title: ...'")
    return head


def _strings(name: str, field: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"note {name}: the field {field!r} must be a list of texts")
    return tuple(value)


def _check_patterns(name: str, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as problem:
            raise ConfigError(f"note {name}: {pattern!r} is no regular expression: {problem}") from problem


def from_json(values: dict[str, Any]) -> Note:
    """Inverse of `dataclasses.asdict`, by way of JSON. Raises TypeError for other fields."""
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Note(**fields)
