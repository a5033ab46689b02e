"""The trusted wire to a warm worker: orders go in, reports come out. Jobs cannot reach it."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Protocol

START_TIMEOUT_S = 120.0
"""Importing torch takes 1–2 s on an idle machine; a loaded one gets a hundred times that."""
GRACE_S = 5.0
"""A worker whose wire was closed has this long to kill its children and end."""


class Channel(Protocol):
    """A started worker, as the judge holds it."""

    @property
    def reader(self) -> BinaryIO:
        """What the worker reports."""

    @property
    def writer(self) -> BinaryIO:
        """Where orders are written."""

    @property
    def pid(self) -> int:
        """The worker's process id as this process knows it; 0 if it does not."""

    def alive(self) -> bool:
        """Whether the worker is still there."""

    def complaint(self) -> str:
        """The end of what it said on stderr. Ends a worker that is still there."""

    def fault(self) -> str | None:
        """Why it died, in a sentence, if no candidate can have caused that; None if one can have."""

    def close(self) -> None:
        """End the worker and everything it started."""


Launch = Callable[[Sequence[str], Mapping[str, str]], Channel]
"""Starts a command with an environment."""


PIPE_BYTES = 1 << 20
"""What a pipe may hold, where this user may have so much: outputs come through it, in half the time."""


class Pipes:
    """A worker that is a child process of ours: stdin and stdout are the wire."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], fds: Sequence[int] = ()):
        """`fds` are left open in it, under the same numbers."""
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=1 << 20,
            env=dict(environment),
            start_new_session=True,
            pass_fds=fds,
        )
        with contextlib.suppress(OSError):  # more than this user may have, or none of Linux's pipes
            fcntl.fcntl(self.reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    @property
    def reader(self) -> BinaryIO:
        """Its stdout."""
        assert self.process.stdout
        return self.process.stdout  # type: ignore[return-value]

    @property
    def writer(self) -> BinaryIO:
        """Its stdin."""
        assert self.process.stdin
        return self.process.stdin  # type: ignore[return-value]

    @property
    def pid(self) -> int:
        """Of what was started: the worker, or what holds it, in one process group."""
        return self.process.pid

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def complaint(self) -> str:
        """Kill it and read its stderr."""
        self.process.kill()
        assert self.process.stderr
        return self.process.stderr.read().decode(errors="replace").strip()[-400:]

    def fault(self) -> None:
        """None: a candidate of the same user can kill it."""

    def close(self) -> None:
        """Hang up, so that it kills its children and ends; kill it if it does not."""
        with contextlib.suppress(OSError):
            self.writer.close()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


launch_process: Launch = Pipes
