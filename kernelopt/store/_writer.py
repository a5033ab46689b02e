"""One writer at a time: the lock of a run folder, and who holds it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import filelock
import psutil

from kernelopt.errors import StoreError
from kernelopt.store._files import storing, write_text


class WriterLock:
    """Held by the process that writes a run; the kernel frees it when that process dies."""

    def __init__(self, folder: Path) -> None:
        """Take the lock of `folder` at once.

        Raises:
            StoreError: another process holds it, or the folder cannot be written.
        """
        self._holder = folder / "writer.json"
        self._lock = filelock.FileLock(folder / "writer.lock", thread_local=False)
        with storing(folder):
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout as error:  # an OSError itself, so it is caught first
                pid = (_read(self._holder) or {}).get("pid")
                who = f"process {pid}" if pid else "another process"
                message = f"{folder}: {who} is writing this run; wait for it or stop it first"
                raise StoreError(message) from error
        try:
            write_text(self._holder, json.dumps(_me()))
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Let the next writer in. Safe to call twice."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()


def writer_pid(folder: Path) -> int | None:
    """Process id of the live writer of `folder`, or None. Takes no lock, so it disturbs nobody."""
    holder = _read(folder / "writer.json")
    if not holder or holder.get("host") != socket.gethostname():
        return None
    try:
        started = psutil.Process(holder["pid"]).create_time()
    except (psutil.Error, KeyError, TypeError, ValueError):
        return None
    # The boot time that both figures rest on may move a little; a reused process id differs by far more.
    return int(holder["pid"]) if abs(started - holder.get("started", 0.0)) < 2.0 else None


def _me() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "started": psutil.Process().create_time()}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):  # gone, or half of an old one: then nobody is known to write
        return None
    return found if isinstance(found, dict) else None
