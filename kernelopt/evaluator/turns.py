"""Several judges on one machine: they work side by side, but what is timed is timed alone.

A judge goes in steps: a build, a load, the check of one input set. While one judge times, the others' next
steps wait; while a step runs, timing waits for its end. Two locks on files do it (`flock`), which the
system releases when a process dies. Who wants to be alone holds the door first, so that a stream of steps
cannot keep it waiting.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol


class Turns(Protocol):
    """When a judge may work, and when it may time."""

    def step(self) -> AbstractContextManager[None]:
        """For a piece of work while nobody times. Within another step, or alone, it is part of that."""

    def alone(self) -> AbstractContextManager[None]:
        """For timing, while nobody else works."""


class NoTurns:
    """There is one judge only."""

    def step(self) -> AbstractContextManager[None]:
        """At once."""
        return nullcontext()

    def alone(self) -> AbstractContextManager[None]:
        """At once."""
        return nullcontext()


class FileTurns:
    """Turns of all processes that name the same folder. Each judge has one, and does one thing at a time."""

    def __init__(self, folder: Path):
        """`folder` exists; two empty files are made in it."""
        self._door, self._room = ((folder / name).open("w") for name in ("door", "room"))
        self._inside = False

    def close(self) -> None:
        """Let go of the files."""
        self._door.close()
        self._room.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Waits while another judge times, or is about to."""
        with self._within(fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until each other judge has ended its step. Not within a step.

        Raises:
            RuntimeError: within a step, which it would wait for.
        """
        if self._inside:
            raise RuntimeError("a judge cannot be alone within a step of its own")
        with self._within(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _within(self, how: int) -> Iterator[None]:
        if self._inside:  # threads of the same judge too: it waits for them
            yield
            return
        fcntl.flock(self._door, how)
        fcntl.flock(self._room, how)
        self._inside = True
        if how == fcntl.LOCK_SH:
            fcntl.flock(self._door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            self._inside = False
            fcntl.flock(self._room, fcntl.LOCK_UN)
            fcntl.flock(self._door, fcntl.LOCK_UN)
