"""Sandbox `process`: a process group of its own, resource limits, an empty environment.

What it does not stop: the candidate runs as the same user. It can read what that user can read,
write where that user can write, reach the network, and signal the user's other processes. Use
`bwrap` or `docker` for kernels from sources that you do not trust.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes import Finished, Limits
from kernelopt.sandboxes._zygote import Zygote, ZygoteJob

SAFE_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
"""All that a worker is given of our environment; nothing here is a secret."""

ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(8 << 30)}
"""glibc keeps freed memory: outputs of up to 32 MiB (its limit) do not cost a page fault for each
4 KiB of each call, in the reference and in the candidate alike."""


def worker_command() -> list[str]:
    """How every sandbox starts the far side. ``-I``: no user site, no PYTHON* variables."""
    return [sys.executable, "-I", "-X", "utf8", str(data_folder("sandbox") / "worker.py")]


def worker_environment() -> dict[str, str]:
    """The scrubbed environment of a worker."""
    kept = {name: os.environ[name] for name in SAFE_VARIABLES if name in os.environ}
    return {**kept, **ALLOCATOR, "OMP_PROC_BIND": "spread", "HOME": "/nonexistent"}


def make_room() -> Path:
    """A fresh folder for job folders: in memory where the system offers that."""
    shm = Path("/dev/shm")  # noqa: S108  (the folder made in it is private)
    return Path(tempfile.mkdtemp(prefix="kernelopt-", dir=shm if os.access(shm, os.W_OK) else None))


class ProcessSandbox:
    """The weakest rung of the ladder, and the one that runs everywhere."""

    name = "process"
    level = "process"

    def __init__(self, readable: Sequence[Path] = ()) -> None:
        self.room = make_room()
        self._zygote = Zygote(worker_command(), worker_environment())

    def missing(self) -> str | None:
        """Nothing: every Linux can do this."""
        return None if sys.platform == "linux" else "the process sandbox needs Linux"

    def start(self, folder: Path, limits: Limits) -> ZygoteJob:
        """Fork a worker whose working directory is `folder`."""
        return ZygoteJob(self._zygote, folder, limits)

    def execute(
        self,
        command: Sequence[str],
        folder: Path,
        limits: Limits,
        timeout_s: float,
        environment: Mapping[str, str],
    ) -> Finished:
        """Run a tool in `folder`, under `limits`."""
        return self._zygote.execute(command, folder, limits, timeout_s, environment)

    def close(self) -> None:
        """End the warm worker."""
        self._zygote.close()
        shutil.rmtree(self.room, ignore_errors=True)


PLUGIN = ProcessSandbox
