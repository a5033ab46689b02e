"""Where candidate code runs: the protocol of a sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use."""

    memory_bytes: int = 8 << 30
    address_space: bool = True
    """Whether addresses are limited to `memory_bytes`, too. Not for a process that uses a GPU: the driver
    reserves addresses for all of its memory and the machine's."""
    file_bytes: int = 2 << 30
    processes: int = 256
    cpu_seconds: int = 600
    open_files: int = 512


@dataclass(frozen=True, slots=True)
class Finished:
    """A tool that was run inside a sandbox. What it printed is in ``log.txt`` of its folder."""

    code: int
    """Exit code, or minus the number of the signal that ended it."""
    seconds: float
    late: bool = False
    """It was stopped at the time limit."""


class Job(Protocol):
    """One forked worker process on the far side of the wall."""

    pid: int
    """Its process id there, which may be another one here."""
    paused_at_ns: int
    """When the last `pause` had stopped everything, on the system's monotonic clock."""
    resumed_at_ns: int
    """When the last `resume` was about to let it go, on the same clock."""
    places: Sequence[tuple[str, int, float]]
    """Where the processor was after the last `resume` that sampled: path of a file there (none for code of no
    file, called by nobody's), offset in it, and looks. Each file has those in full at which some thread was
    in it, whatever other threads did."""
    looks: int
    """At how many looks after that `resume` some thread ran."""

    def send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send one command, with file descriptors. Raises OSError when the worker is gone."""

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message, or None when the worker died or sent something unreadable.

        Raises:
            TimeoutError: nothing came in time.
        """

    def pause(self, *, answered: bool = False) -> int:
        """Stop the job and every process it started; the processor time they have had, in ns.

        `answered`: it has just answered a timed batch, after which it stops of its own accord; then
        `paused_at_ns` is when it did that.
        """

    def resume(self, *, sample: int = 0, within_ms: float = 0.0) -> int:
        """Let the job go on; the processor time it has had, in ns: what `pause` told, if all is well.

        `sample`: look that often at where the processor is (`places`), until a batch is answered, which takes
        about `within_ms`. The trusted
        process beside the job does that, which stops it for each look.
        """

    def precede(self, *, urgent: bool) -> bool:
        """Give the job precedence over other processes, or take it back; whether it stands so now."""

    def read(self, spans: Sequence[tuple[int, int]]) -> bytes | None:
        """Memory of the job at (address, bytes), joined; None when it cannot be read.

        Done by the trusted process beside the job: with the job paused, nothing that it does after it
        answered changes what is read.
        """

    def kill(self) -> None:
        """Have all of the job killed, before anything else that is asked of the sandbox; no waiting."""

    def close(self) -> str:
        """Kill what is left of the job, and tell how it ended: ``exit 0``, ``signal 11`` ..."""


class Sandbox(Protocol):
    """Starts jobs in a warm worker. ``PLUGIN(readable)`` makes one; `readable` are folders that jobs may
    read besides the system and this Python: the build cache, say. With ``gpu=NAME`` jobs may use that GPU
    (number or UUID) and no other; a sandbox that cannot give them one takes no such argument.
    """

    name: str
    level: str
    """What is stamped on evaluations: the isolation that was proven at start."""
    room: Path
    """Folder in which job folders must be made; inside they have the same path."""

    def missing(self) -> str | None:
        """What keeps it from running here and how to mend it, or None."""

    def warm(self) -> None:
        """Begin to start the warm worker, and do not wait for it; `start` and `execute` do that.

        Raises:
            EvaluatorFault: the sandbox itself cannot start.
        """

    def start(self, folder: Path, limits: Limits) -> Job:
        """Fork a worker that sees `folder` (shared memory and files of this job only).

        Raises:
            EvaluatorFault: the sandbox itself cannot start.
        """

    def execute(
        self,
        command: Sequence[str],
        folder: Path,
        limits: Limits,
        timeout_s: float,
        environment: Mapping[str, str],
    ) -> Finished:
        """Run a tool, a compiler say, in `folder` (made in `room`) with just that environment.

        Raises:
            EvaluatorFault: the sandbox itself cannot start.
        """

    def close(self) -> None:
        """Stop the warm worker and everything it started."""
