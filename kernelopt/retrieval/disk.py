"""A built index on disk: arrays that are mapped, and notes as JSON lines. A damaged one counts as absent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from kernelopt.resources import cache_dir
from kernelopt.retrieval import tokens
from kernelopt.retrieval.bm25 import Words
from kernelopt.retrieval.notes import Note, from_json

_HEAD, _NOTES = "head.json", "notes.jsonl"
_ARRAYS = tuple(field.name for field in fields(Words) if field.name != "sections")
_FORMAT = 2
_SAMPLE = 1 << 18
"""Bytes at each end of a file that its checksum covers: an index of 50,000 sections has 100 MB, and reading
them all would take longer than everything else."""


@dataclass(frozen=True, slots=True)
class Built:
    """An index that can be asked."""

    words: Words
    lines: Any
    """The notes as JSON lines: bytes, or a mapping of them."""
    offsets: Any
    """int64 [notes + 1]: where each line begins."""
    masks: Any
    """uint8 [notes]: a bit for each target that a note holds for."""
    targets: tuple[str, ...]
    patterns: tuple[tuple[int, str], ...]
    """(number of the note, regular expression)."""
    vectors: Any = None
    """float32 [notes, dimensions] of length one, where embeddings were made."""

    def note(self, number: int) -> Note:
        """One note. Raises ValueError, KeyError or TypeError where its line is damaged."""
        line = bytes(self.lines[int(self.offsets[number]) : int(self.offsets[number + 1])])
        return from_json(json.loads(line))


def build(notes: Sequence[Note], words: Words, vectors: Any = None) -> Built:
    """The index of notes whose terms are weighed already."""
    import numpy as np

    lines = [json.dumps(asdict(note)).encode() + b"\n" for note in notes]
    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines], dtype="i8")]).astype("i8")
    targets = tuple(dict.fromkeys(target for note in notes for target in note.targets))
    masks = np.array([sum(1 << targets.index(t) for t in note.targets) for note in notes], "u8").astype("u1")
    patterns = tuple((i, pattern) for i, note in enumerate(notes) for pattern in note.errors)
    return Built(words, b"".join(lines), offsets, masks, targets, patterns, vectors)


def key(parts: Iterable[str]) -> str:
    """Hash of all that an index depends on: `parts`, how terms are made, and how they are stored."""
    content = json.dumps([_FORMAT, tokens.VERSION, *parts])
    return hashlib.sha256(content.encode()).hexdigest()


def read(name: str) -> Built | None:
    """The index stored as `name`; None when there is none or it is damaged."""
    import numpy as np

    place = folder() / name
    try:
        head = json.loads((place / _HEAD).read_bytes())
        if head["sums"] != _sums(place):
            return None
        arrays = {p.stem: np.load(p, mmap_mode="r", allow_pickle=False) for p in place.glob("*.npy")}
        words = Words(**{k: arrays[k] for k in _ARRAYS}, sections=head["sections"])
        size = (place / _NOTES).stat().st_size
        lines = np.memmap(place / _NOTES, mode="r") if size else b""
        patterns = tuple((i, pattern) for i, pattern in head["patterns"])
        others = (arrays["offsets"], arrays["masks"], tuple(head["targets"]), patterns)
        return Built(words, lines, *others, arrays.get("vectors"))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def write(name: str, built: Built) -> None:
    """Store an index. Where the cache folder cannot be written, the next process builds it again."""
    place = folder() / name
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, ignore_cleanup_errors=True) as made:
            work = Path(made) / name
            work.mkdir()
            _fill(work, built)
            shutil.rmtree(place, ignore_errors=True)
            work.rename(place)


def _fill(work: Path, built: Built) -> None:
    import numpy as np

    arrays = {name: getattr(built.words, name) for name in _ARRAYS}
    arrays |= {"offsets": built.offsets, "masks": built.masks}
    if built.vectors is not None:
        arrays["vectors"] = built.vectors
    for name, array in arrays.items():
        np.save(work / f"{name}.npy", array, allow_pickle=False)
    (work / _NOTES).write_bytes(bytes(built.lines))
    sizes = {"sections": built.words.sections, "targets": built.targets, "patterns": built.patterns}
    (work / _HEAD).write_text(json.dumps({**sizes, "sums": _sums(work)}), encoding="utf-8")


def folder() -> Path:
    """Where built indexes lie."""
    return cache_dir() / "manuals"


def _sums(place: Path) -> dict[str, str]:
    files = sorted(path for path in place.iterdir() if path.name != _HEAD)
    return {path.name: _sum(path) for path in files}


def _sum(path: Path) -> str:
    """Checksum of a file's size and both its ends."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.sha256(f"{size} ".encode() + file.read(_SAMPLE))
        if size > _SAMPLE:
            file.seek(max(size - _SAMPLE, _SAMPLE))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()
