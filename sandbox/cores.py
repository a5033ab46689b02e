"""The threads of a job, and which cores they may use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """All threads of this process, and those that they make meanwhile, take turns on one core."""
    home = os.sched_getaffinity(0)
    homes = {os.getpid(): home}
    for thread in threads():
        with contextlib.suppress(ProcessLookupError):  # threads may end meanwhile
            homes[thread] = os.sched_getaffinity(thread)
            os.sched_setaffinity(thread, {min(home)})
    try:
        yield
    finally:
        for thread in threads():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread, homes.get(thread, home))


def threads() -> list[int]:
    """Threads of this process."""
    return [int(entry.name) for entry in Path("/proc/self/task").iterdir()]
