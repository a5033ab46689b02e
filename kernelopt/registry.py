"""Plugins by file name: `kernelopt/<kind>/<name>.py` with a `PLUGIN`, or an entry point.

A plugin module assigns `PLUGIN`, the class (or factory) that its package's protocol describes.
Modules whose name starts with an underscore are helpers, not plugins. Other packages add plugins
through entry points of the group ``kernelopt.<kind>``; a file of ours wins over an entry point.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from kernelopt.errors import UnknownName

KINDS = ("suites", "lms", "languages", "devices", "sandboxes", "executors")


def _files(kind: str) -> Iterator[str]:
    package = importlib.import_module(f"kernelopt.{kind}")
    for info in pkgutil.iter_modules(package.__path__):
        if not info.name.startswith("_"):
            yield info.name


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"kernelopt.{kind}")}


def names(kind: str) -> list[str]:
    """Every plugin name of `kind`, sorted; none of them is imported for it."""
    return sorted({*_files(kind), *_entry_points(kind)})


def get(kind: str, name: str) -> Any:
    """The `PLUGIN` of that name.

    Raises:
        UnknownName: nothing of that name exists; the message lists what does.
    """
    if name in set(_files(kind)):
        return importlib.import_module(f"kernelopt.{kind}.{name}").PLUGIN
    points = _entry_points(kind)
    if name in points:
        return points[name].load()
    raise UnknownName(f"no {kind.rstrip('s')} named {name!r}; there are: {', '.join(names(kind))}")
