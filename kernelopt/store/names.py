"""Names of runs: the default ones, those that exist, and the newest."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernelopt.errors import StoreError, UnknownName
from kernelopt.store import manifest as manifests

LATEST = "latest"
_ALLOWED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def checked(name: str) -> str:
    """`name` if it can be a run's name.

    Raises:
        StoreError: it holds other than letters, digits, ``-``, ``_`` and ``.``, or is ``latest``.
    """
    if _ALLOWED.fullmatch(name) and name != LATEST:
        return name
    raise StoreError(f"{name!r} cannot name a run: use letters, digits, '-', '_' and '.', and not {LATEST!r}")


def default_stem(manifest: Mapping[str, Any]) -> str:
    """Date, suite and language: ``2026-11-21-kernelbench-cpp``."""
    suite = manifest.get("suite")
    words = [suite.get("suite") if isinstance(suite, Mapping) else suite, manifest.get("language")]
    parts = [datetime.date.today().isoformat(), *(str(word) for word in words if word)]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(parts))


def run_names(root: Path) -> list[str]:
    """Every run in `root`, oldest first. Runs with an unreadable manifest come before all others."""
    folders = [path.parent for path in root.glob(f"*/{manifests.FILE}")]
    return [folder.name for folder in sorted(folders, key=lambda f: (_created(f), f.name))]


def find(path_or_name: str | Path, root: Path) -> Path:
    """Folder of the run of that name in `root`, of the newest one (``latest``), or at that path.

    Raises:
        UnknownName: there is no such run; the message lists what exists.
    """
    if str(path_or_name) == LATEST:
        for name in run_names(root)[-1:]:
            return root / name
    for folder in (root / path_or_name, Path(path_or_name)):
        if (folder / manifests.FILE).is_file():
            return folder
    raise UnknownName(_no_such_run(str(path_or_name), root, run_names(root)))


def _no_such_run(name: str, root: Path, names: list[str]) -> str:
    if not names:
        return f"no run {name!r}: {root}/ holds no runs; start one with `kernelopt search`, or say --runs DIR"
    near = difflib.get_close_matches(name, names, n=3) or names[:-6:-1]
    return f"no run {name!r} in {root}/; did you mean {', '.join(near)}? (`kernelopt list` shows all)"


def _created(folder: Path) -> str:
    try:
        return str(manifests.load(folder).get("created", ""))
    except StoreError:
        return ""
