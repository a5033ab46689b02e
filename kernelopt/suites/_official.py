"""An official KernelBench checkout on disk: its levels, tasks and commit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from kernelopt.suites._module import read_text
from kernelopt.suites._select import Entry

COUNTS = {1: 100, 2: 100, 3: 50, 4: 20}
"""How many tasks each level of the official set holds."""

REPRESENTATIVE = {
    1: frozenset({1, 3, 6, 18, 23, 26, 33, 36, 40, 42, 48, 54, 57, 65, 77, 82, 86, 87}),
    2: frozenset({1, 2, 8, 18, 23, 28, 33, 43}),
    3: frozenset({1, 5, 8, 11, 20, 21, 33, 38, 43}),
}
"""Level → task numbers that KernelBench itself names as a representative subset."""

_LEVEL = re.compile(r"level(\d+)")
_NUMBERED = re.compile(r"(\d+)_\w.*")


def levels_folder(path: Path) -> Path | None:
    """The folder that directly holds ``level1`` ...: `path`/KernelBench or `path` itself."""
    for folder in (path / "KernelBench", path):
        if level_folders(folder):
            return folder
    return None


def level_folders(folder: Path) -> dict[int, Path]:
    """Level → its folder, in order of the levels."""
    if not folder.is_dir():
        return {}
    found = {int(m[1]): sub for sub in folder.iterdir() if (m := _LEVEL.fullmatch(sub.name)) and sub.is_dir()}
    return dict(sorted(found.items()))


def entries(folder: Path, *, official: bool) -> tuple[list[Entry], list[str]]:
    """The tasks below `folder` in suite order, and a note for each file that was left out."""
    found: dict[str, Entry] = {}
    notes = []
    for level, sub in level_folders(folder).items():
        files = [path for path in sub.glob("*.py") if _NUMBERED.fullmatch(path.stem)]
        for path in sorted(files, key=lambda path: (_number(path.stem), len(path.stem), path.stem)):
            entry = _entry(path, level, official)
            if entry.id in found:
                notes.append(f"{path}: left out, {found[entry.id].name} already has the number {entry.id}")
            found.setdefault(entry.id, entry)
    return list(found.values()), notes


def representative(level: int, number: int) -> tuple[str, ...]:
    """The tags of an official task."""
    return ("representative",) if number in REPRESENTATIVE.get(level, ()) else ()


def complete(entries: Iterable[Entry]) -> bool:
    """Whether every level that is there holds as many tasks as the official set has."""
    counts: dict[int | None, int] = {}
    for entry in entries:
        counts[entry.level] = counts.get(entry.level, 0) + 1
    return bool(counts) and all(COUNTS.get(level or 0) == count for level, count in counts.items())


def commit(folder: Path) -> str | None:
    """First seven digits of the commit that is checked out at `folder` or its parent, if any.

    The files of git's own folder are read; git is not run.
    """
    for root in (folder, folder.parent):
        head = _git_folder(root / ".git")
        if head is not None:
            return _commit_of(head)
    return None


def _number(stem: str) -> int:
    return int(stem.partition("_")[0])


def _entry(path: Path, level: int, official: bool) -> Entry:
    number = _number(path.stem)
    tags = representative(level, number) if official else ()
    return Entry(f"{level}/{number}", path.stem, str(path), partial(read_text, path), level, tags)


def _git_folder(path: Path) -> Path | None:
    """Git's folder, also for a worktree or submodule, where ``.git`` is a file that names it."""
    if path.is_file():
        pointer = _line(path).removeprefix("gitdir:").strip()
        path = path.parent / pointer
    return path if (path / "HEAD").is_file() else None


def _commit_of(git: Path) -> str | None:
    head = _line(git / "HEAD")
    reference = head.removeprefix("ref:").strip()
    if reference == head:
        return _short(head)
    common = git / _line(git / "commondir") if (git / "commondir").is_file() else git
    for place in (git, common):
        if (place / reference).is_file():
            return _short(_line(place / reference))
    packed = common / "packed-refs"
    lines = packed.read_text(errors="replace").splitlines() if packed.is_file() else []
    return next((_short(line) for line in lines if line.endswith(f" {reference}")), None)


def _line(path: Path) -> str:
    return path.read_text(errors="replace").strip()


def _short(line: str) -> str | None:
    return line[:7] if re.match(r"[0-9a-f]{40}", line) else None
