"""Files written whole or not at all, and one clear line for every way a disk says no."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernelopt.errors import StoreError

FULL = "the disk is full; free some space, then go on with `kernelopt resume`"
_FORBIDDEN = "it cannot be written; give it to this user, or choose another folder with --runs"
_HINTS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: "the disk quota is used up; free some space, then go on with `kernelopt resume`",
    errno.EFBIG: "the file size limit is reached; raise it (`ulimit -f`) or free some space",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "the file system is read-only; choose another folder with --runs",
    errno.ENOTDIR: "a part of this path is a file, not a folder; choose another folder with --runs",
}


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn an `OSError` about `path` into a `StoreError` of one line that says what to do."""
    try:
        yield
    except OSError as error:
        known = _HINTS.get(error.errno or 0)
        raise StoreError(f"{path}: {known or (error.strerror or str(error)).lower()}") from error


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` at once: a kill or a power loss leaves the old file or the new one.

    Lone surrogates, which language models do send, are kept as they are.

    Raises:
        StoreError: the disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(text.encode("utf-8", "surrogatepass"))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def read_text(path: Path) -> str:
    """The text that `write_text` wrote.

    Raises:
        StoreError: the file is missing, unreadable or not text.
    """
    with storing(path):
        content = path.read_bytes()
    try:
        return content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise StoreError(f"{path}: damaged, it does not read as text") from error


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` last through a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
