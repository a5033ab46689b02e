"""What was written: the source of one answer, with its lineage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

ENTRIES = {"aie": "kernel.cc"}
"""Entry file of a language whose kernels are no Python modules."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One answer to one task: source files, and which language builds them."""

    language: str
    """Name of the language plugin: ``cpp``, ``cuda``, ``triton``, ``cupy``, ``aie``."""
    files: Mapping[str, str]
    """File name to text. The entry file defines `ModelNew`."""
    entry: str = "kernel.py"
    """Which of `files` is loaded, or compiled."""
    parents: tuple[str, ...] = field(default=())
    """Hashes of the kernels that this one was refined from. Not part of the hash."""

    @property
    def source(self) -> str:
        """Text of the entry file."""
        return self.files[self.entry]

    @property
    def hash(self) -> str:
        """Content hash over every field that alters the build (16 hex digits)."""
        body = json.dumps([self.language, self.entry, sorted(self.files.items())])
        return hashlib.sha256(body.encode()).hexdigest()[:16]

    @classmethod
    def from_source(cls, source: str, language: str, parents: tuple[str, ...] = ()) -> Kernel:
        """A kernel of one file."""
        entry = ENTRIES.get(language, "kernel.py")
        return cls(language=language, files={entry: source}, entry=entry, parents=parents)
