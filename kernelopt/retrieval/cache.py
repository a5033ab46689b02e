"""The built word index on disk, so that a process has it at once. A damaged one counts as absent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kernelopt.resources import cache_dir
from kernelopt.retrieval import tokens
from kernelopt.retrieval.notes import Note

_SUMS, _NOTES = "sums.json", "notes.json"
_FORMAT = 1


def key(texts: Sequence[tuple[str, str]]) -> str:
    """Hash of all that the index depends on: the notes, how terms are made, the library that ranks."""
    from importlib.metadata import version

    content = json.dumps([_FORMAT, tokens.VERSION, version("bm25s"), *texts])
    return hashlib.sha256(content.encode()).hexdigest()


def read(name: str) -> tuple[list[Note], Any] | None:
    """Notes and BM25 index stored as `name`; None when there is none or it is damaged."""
    from bm25s import BM25

    place = _place(name)
    try:
        sums = json.loads((place / _SUMS).read_bytes())
        if not isinstance(sums, dict) or sums != _sums(place):
            return None
        notes = [_note(fields) for fields in json.loads((place / _NOTES).read_bytes())]
        return notes, BM25.load(place, show_progress=False, verbosity=0)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(name: str, notes: Sequence[Note], ranker: Any) -> None:
    """Store an index. Where the cache folder cannot be written, the next process builds it again."""
    place = _place(name)
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, ignore_cleanup_errors=True) as made:
            work = Path(made) / name
            ranker.save(work, show_progress=False)
            (work / _NOTES).write_text(json.dumps([asdict(note) for note in notes]), encoding="utf-8")
            (work / _SUMS).write_text(json.dumps(_sums(work)), encoding="utf-8")
            shutil.rmtree(place, ignore_errors=True)
            work.rename(place)


def _place(name: str) -> Path:
    return cache_dir() / "manuals" / name


def _sums(place: Path) -> dict[str, str]:
    files = sorted(path for path in place.iterdir() if path.name != _SUMS)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _note(fields: dict[str, Any]) -> Note:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return Note(**values)
