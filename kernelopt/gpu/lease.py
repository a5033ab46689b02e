"""One user of a GPU at a time, among all processes of this machine that ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from kernelopt.errors import MissingTool
from kernelopt.resources import cache_dir


def lock_path(gpu: str) -> Path:
    """The file that stands for a GPU, by its UUID or number."""
    return cache_dir() / "leases" / f"gpu-{re.sub(r'[^A-Za-z0-9-]', '-', gpu)}.lock"


@contextmanager
def lease(gpu: str, timeout_s: float = 0.0) -> Iterator[None]:
    """Hold a GPU for oneself: whoever else asks here waits, or is told.

    The lock is the operating system's, so it ends with its holder, however that ends.

    Args:
        gpu: UUID or number of the GPU; all who share it have to use the same.
        timeout_s: how long to wait for another holder, in seconds.

    Raises:
        MissingTool: another process still holds it.
    """
    path = lock_path(gpu)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=timeout_s)
    try:
        lock.acquire()
    except Timeout:
        raise MissingTool(
            f"GPU {gpu} is in use by another measurement on this machine ({path}); "
            f"wait for it, or choose another one"
        ) from None
    try:
        yield
    finally:
        lock.release()
