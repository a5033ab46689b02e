"""Where candidate code runs: the protocol of a sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use."""

    memory_bytes: int = 8 << 30
    file_bytes: int = 2 << 30
    processes: int = 256
    cpu_seconds: int = 600
    open_files: int = 512


class Job(Protocol):
    """One forked worker process on the far side of the wall."""

    pid: int

    def send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send one command, with file descriptors. Raises OSError when the worker is gone."""

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message, or None when the worker died or sent something unreadable.

        Raises:
            TimeoutError: nothing came in time.
        """

    def close(self) -> str:
        """Kill what is left of the job, and tell how it ended: ``exit 0``, ``signal 11`` ..."""


class Sandbox(Protocol):
    """Starts jobs in a warm worker. `PLUGIN()` makes one; use it as a context manager."""

    name: str
    level: str
    """What is stamped on evaluations: the isolation that was proven at start."""

    def missing(self) -> str | None:
        """What keeps it from running here and how to mend it, or None."""

    def start(self, folder: Path, limits: Limits) -> Job:
        """Fork a worker that sees `folder` (shared memory and files of this job only).

        Raises:
            EvaluatorFault: the sandbox itself cannot start.
        """

    def close(self) -> None:
        """Stop the warm worker and everything it started."""
