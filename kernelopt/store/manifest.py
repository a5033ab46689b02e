"""The manifest: what a run is, apart from what happened in it. One JSON file, replaced at once.

Readers rely on these fields; every other field is kept and shown as it is:

    format       1
    name         the run's name
    created      ISO 8601, UTC
    kernelopt    version that created the run
    suite        `Provenance` as a dict: suite, official, tasks, detail, shrunk
    language, device, isolation, mode
    conditions   {"timed", "runs", "note"}: what verdicts of the device are worth
    machine      {"cpu": ..., "compiler": ...}: words about where it ran
    models       {"lm": ..., "reflection_lm": ...}: what the user named
    tasks        [{"id", "slug", "name", "level", "hash"}, ...] in suite order, skipped ones included
    split        {"train": [slug, ...], "val": [...], "test": [...]}; absent in mode `search`
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernelopt import __version__
from kernelopt.errors import StoreError
from kernelopt.store._files import read_text, write_text

FILE = "manifest.json"
FORMAT = 1


def stamped(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` with format, name, time and version in front."""
    created = datetime.datetime.now(datetime.UTC).isoformat()
    return {**fields, "format": FORMAT, "name": name, "created": created, "kernelopt": __version__}


def load(folder: Path) -> dict[str, Any]:
    """Manifest of the run in `folder`.

    Raises:
        StoreError: it is missing, damaged, or of a newer format.
    """
    path = folder / FILE
    if not path.is_file():
        raise StoreError(f"{folder}: not a run, it has no {FILE} (a run killed at its very start has none)")
    try:
        found = json.loads(read_text(path))
    except ValueError as error:
        raise StoreError(f"{path}: damaged, it does not read as JSON; restore it from a copy") from error
    if not isinstance(found, dict) or not isinstance(found.get("format"), int):
        raise StoreError(f"{path}: not the manifest of a run; restore it from a copy")
    if found["format"] > FORMAT:
        raise StoreError(f"{path}: written by a newer kernelopt ({found.get('kernelopt')}); update this one")
    return found


def save(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Replace the manifest at once. Raises `StoreError` where it cannot be written."""
    write_text(folder / FILE, json.dumps(manifest, indent=2) + "\n")
