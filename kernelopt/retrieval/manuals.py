"""The user's own manuals: read once into sections, kept in the data folder, found beside our notes.

A manual is a folder ``$KERNELOPT_DATA/manuals/NAME`` with `manual.json` (where it came from) and
`sections.jsonl`. What is built of them lies with the other indexes in the cache.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kernelopt.errors import ConfigError, UnknownName
from kernelopt.resources import data_dir
from kernelopt.retrieval import disk
from kernelopt.retrieval.disk import Built
from kernelopt.retrieval.embeddings import Encoder
from kernelopt.retrieval.ingest import Reader, html, pdf, text
from kernelopt.retrieval.ingest.sections import Section, divide
from kernelopt.retrieval.notes import Note, from_json

READERS: dict[str, Reader] = {
    ".pdf": pdf.read,
    **dict.fromkeys((".html", ".htm", ".xhtml"), html.read),
    **dict.fromkeys((".md", ".markdown", ".txt", ".text", ".rst"), text.read),
}
TARGETS = ("cpu", "cuda", "triton", "cupy", "npu")
_MANUAL, _SECTIONS = "manual.json", "sections.jsonl"
_NAME = re.compile(r"[\w][\w.+-]{0,63}")
_TITLE_PARTS = 2

Watch = Callable[[str, int, int], None]
"""Hears (what is being read, how much is done, of how much)."""


@dataclass(frozen=True, slots=True)
class Manual:
    """A manual that was added."""

    name: str
    path: str
    """Where its files were when it was added."""
    targets: tuple[str, ...]
    files: int
    sections: int
    digest: str
    """Of its sections."""


def add(path: Path, name: str | None, targets: Sequence[str], watch: Watch = lambda *_: None) -> Manual:
    """Read a file, or all files of a folder that can be read, into the manual `name`.

    A manual of this name that came from the same path is replaced.

    Raises:
        ConfigError: a file cannot be read, nothing is in it, or the name belongs to another manual.
    """
    path = path.expanduser().resolve()
    name = name or _name_of(path)
    if not _NAME.fullmatch(name):
        raise ConfigError(f"--name {name}: letters, digits, dots and dashes only, 64 at most")
    known = {manual.name: manual for manual in every()}.get(name)
    if known and known.path != str(path):
        raise ConfigError(f"{name}: {known.path} is kept under this name; choose another one with --name")
    wrong = [target for target in targets if target not in TARGETS]
    if wrong:
        raise ConfigError(
            f"--target {wrong[0]}: there is none of that name; choose from {', '.join(TARGETS)}"
        )
    files = _files(path)
    notes: list[Note] = []
    for file in files:
        sections = divide(READERS[file.suffix.lower()](file, partial(watch, file.name)))
        inside = file.relative_to(path).as_posix() if path.is_dir() else ""
        notes += _notes(name, inside, sections, tuple(targets) or TARGETS, len(notes))
    if not notes:
        raise ConfigError(f"{path}: no text was found in it")
    return _keep(name, path, tuple(targets), len(files), notes)


def every() -> list[Manual]:
    """All manuals, by name. One whose files are damaged is left out; adding it again mends it."""
    found = (_read_manual(place) for place in sorted(folder().glob(f"*/{_MANUAL}")))
    return [manual for manual in found if manual]


def remove(name: str) -> Manual:
    """Forget a manual. Raises UnknownName where there is none of that name."""
    manual = find(name)
    shutil.rmtree(folder() / name)
    return manual


def find(name: str) -> Manual:
    """A manual. Raises UnknownName where there is none of that name."""
    known = {manual.name: manual for manual in every()}
    if name not in known:
        names = ", ".join(known) or "none; add one with `kernelopt docs add PATH`"
        raise UnknownName(f"no manual {name!r}; there are: {names}")
    return known[name]


def folder() -> Path:
    """Where manuals are kept."""
    return data_dir() / "manuals"


def open_sections(
    encoder: Encoder | None = None, progress: Callable[[int, int], None] | None = None, *, anew: bool = False
) -> Built | None:
    """The index of all manuals, from the cache or built and stored there; None where there are none."""
    from kernelopt.retrieval import index

    manuals = every()
    if not manuals:
        return None
    parts = [part for manual in manuals for part in (manual.name, manual.digest)]
    name = "manuals-" + disk.key(parts + index.named(encoder))
    built = None if anew else disk.read(name)
    if built is None:
        notes = [note for manual in manuals for note in _read_notes(manual.name)]
        built = index.build(notes, encoder, progress)
        for old in disk.folder().glob("manuals-*"):
            shutil.rmtree(old, ignore_errors=True)
        disk.write(name, built)
    return built


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix.lower() not in READERS:
            raise ConfigError(f"{path}: this kind of file is not read; give one of {', '.join(READERS)}")
        return [path]
    if not path.is_dir():
        raise ConfigError(f"{path}: there is no such file or folder")
    found = [p for p in sorted(path.rglob("*")) if p.is_file() and p.suffix.lower() in READERS]
    files = [p for p in found if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    if not files:
        raise ConfigError(f"{path}: no manual in it; files that are read end in {', '.join(READERS)}")
    return files


def _name_of(path: Path) -> str:
    stem = path.name if path.is_dir() else path.stem
    return re.sub(r"[^\w.+-]+", "-", stem).strip("-.")[:64] or "manual"


def _notes(
    name: str, file: str, sections: Sequence[Section], targets: tuple[str, ...], first: int
) -> list[Note]:
    return [
        Note(
            name=f"{name}#{number}",
            title=" > ".join(section.path[-_TITLE_PARTS:]) or file or name,
            targets=targets,
            tags=section.path[:-_TITLE_PARTS],
            errors=(),
            source=_source(name, file, section),
            text=section.text,
        )
        for number, section in enumerate(sections, start=first + 1)
    ]


def _source(name: str, file: str, section: Section) -> str:
    page = f"p. {section.page}" if section.page else ""
    return ", ".join(filter(None, [name, file, " > ".join(section.path), page]))


def _keep(name: str, path: Path, targets: tuple[str, ...], files: int, notes: Sequence[Note]) -> Manual:
    content = "".join(json.dumps(asdict(note)) + "\n" for note in notes).encode()
    manual = Manual(name, str(path), targets, files, len(notes), hashlib.sha256(content).hexdigest())
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".", ignore_cleanup_errors=True) as made:
        work = Path(made) / name
        work.mkdir()
        (work / _SECTIONS).write_bytes(content)
        (work / _MANUAL).write_text(json.dumps(asdict(manual)), encoding="utf-8")
        shutil.rmtree(folder() / name, ignore_errors=True)
        work.rename(folder() / name)
    return manual


def _read_manual(path: Path) -> Manual | None:
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
        manual = Manual(**{**values, "targets": tuple(values["targets"])})
        return manual if (path.parent / _SECTIONS).is_file() and manual.name == path.parent.name else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _read_notes(name: str) -> list[Note]:
    notes = []
    with (folder() / name / _SECTIONS).open(encoding="utf-8") as lines:
        for line in lines:
            notes.append(from_json(json.loads(line)))
    return notes
