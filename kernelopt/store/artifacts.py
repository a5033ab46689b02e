"""Texts by content hash: kernels, task sources, build logs."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from kernelopt.errors import StoreError
from kernelopt.store._files import read_text, write_text

_NAME = re.compile(r"[0-9a-f]{32}")


class Artifacts:
    """A folder of texts, each named by its hash: ``ab/cdef…``. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Nothing is created before the first `put`."""
        self.folder = folder

    def put(self, text: str) -> str:
        """Store a text and return its hash (32 hex digits). A damaged copy of it is replaced.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        name = _hash(text)
        if not self._holds(name):
            write_text(self._path(name), text)
        return name

    def get(self, name: str) -> str:
        """The text of that hash.

        Raises:
            StoreError: there is none, or the file no longer holds what was stored.
        """
        path = self._path(name)
        if not path.is_file():
            raise StoreError(f"{path}: this artifact is missing; copy the whole run folder again")
        text = read_text(path)
        if _hash(text) != name:
            raise StoreError(f"{path}: damaged, its content does not match its name; restore it from a copy")
        return text

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise StoreError(f"{self.folder}: {name!r} is not an artifact hash (32 hex digits)")
        return self.folder / name[:2] / name[2:]

    def _holds(self, name: str) -> bool:
        try:
            return bool(self.get(name))
        except StoreError:
            return False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
