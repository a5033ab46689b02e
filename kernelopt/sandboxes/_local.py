"""What sandboxes have in common."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes import Finished, Limits
from kernelopt.sandboxes._cgroup import Cage, make_cage
from kernelopt.sandboxes._channel import Channel, Pipes
from kernelopt.sandboxes._confinement import confinement
from kernelopt.sandboxes._gpu import find
from kernelopt.sandboxes._rooms import make_room, remove_tree
from kernelopt.sandboxes._zygote import Zygote, ZygoteJob

OWN_MEMORY = 1 << 30
"""Bytes beyond those of the jobs: the warm worker (0.3 GiB) and what it mapped of torch."""
OWN_PROCESSES = 16
"""Threads beyond those of the jobs: the warm worker's."""
MEMORY_SHARE = 0.6
"""Part of the machine's memory that several jobs may have together; the judge and the reference need some."""

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


def together(limits: Limits, jobs: int) -> tuple[int, int]:
    """Bytes and processes for so many jobs and the warm worker; no more memory than the machine can spare."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    one = OWN_MEMORY + limits.memory_bytes
    memory = max(one, min(OWN_MEMORY + jobs * limits.memory_bytes, int(MEMORY_SHARE * physical)))
    return memory, OWN_PROCESSES + jobs * limits.processes


class LocalSandbox:
    """A warm worker in a cage, where this user may make one (see `_cgroup`)."""

    user: int | None = None
    """Uid that the worker takes on, if not ours."""

    def __init__(self, readable: Sequence[Path] = (), gpu: str = "") -> None:
        """`gpu`: the one that jobs may use, by number or UUID; none where it is empty."""
        self.room = make_room()
        self.readable = list(readable)
        self.gpu = find(gpu) if gpu else None
        for folder in self.readable:
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)  # whatever the umask: inside, the worker may be another user
        self._cage: Cage | None = None
        self._jobs, self._counting = 0, threading.RLock()
        shown = self.gpu.environment() if self.gpu else {}
        self._zygote = Zygote(worker_command(), {**worker_environment(), **shown}, self._launch)

    def warm(self) -> None:
        """Begin to start the worker."""
        self._zygote.begin()

    def start(self, folder: Path, limits: Limits) -> ZygoteJob:
        """Fork a worker that may write to `folder`."""
        self._hand_over(folder)
        self._begun(limits)
        try:
            return _Job(self._zygote, folder, limits, self._ended)
        except BaseException:
            self._over()
            raise

    def execute(
        self,
        command: Sequence[str],
        folder: Path,
        limits: Limits,
        timeout_s: float,
        environment: Mapping[str, str],
    ) -> Finished:
        """Run a tool in `folder`, under `limits`."""
        self._hand_over(folder)
        self._begun(limits)
        try:
            return self._zygote.execute(command, folder, limits, timeout_s, environment)
        finally:
            self._over()

    def close(self) -> None:
        """End the warm worker."""
        self._zygote.close()
        if self._cage:
            self._cage.remove()
        remove_tree(self.room)

    def _begun(self, limits: Limits) -> None:
        """One job more. Jobs begin and end in any thread."""
        with self._counting:
            self._jobs += 1
            try:
                self._fit(limits)
            except BaseException:
                self._jobs -= 1
                raise

    def _over(self) -> None:
        """One job less."""
        with self._counting:
            self._jobs -= 1

    def _ended(self, folder: Path) -> None:
        """The job of a folder is over."""
        self._over()

    def _launch(self, command: Sequence[str], environment: Mapping[str, str]) -> Channel:
        """Start the worker. What an earlier one left behind goes with its cage."""
        if self._cage:
            self._cage.remove()
        self._cage = make_cage()
        self._zygote.confinement = self._confinement()
        try:
            return self._spawn(command, environment)
        except BaseException:
            if self._cage:
                self._cage.remove()
            raise

    def _spawn(self, command: Sequence[str], environment: Mapping[str, str]) -> Channel:
        return Pipes(self._caged(command), environment)

    def _caged(self, command: Sequence[str]) -> list[str]:
        return self._cage.enter(command) if self._cage else list(command)

    def _confinement(self) -> dict[str, object]:
        """Processes are counted by user where they cannot be by cage. The kernel does not count root's."""
        user = os.geteuid() if self.user is None else self.user
        places = [node.place for node in self.gpu.nodes] if self.gpu else []
        counted = None if self._cage or user == 0 else user
        return confinement(self.readable, [*self._writable(), *places], counted, gpu=bool(self.gpu))

    def _writable(self) -> Sequence[str]:
        """Folders, besides its own, that a job may write to."""
        return ()

    def _hand_over(self, folder: Path) -> None:
        """Give a job folder to the user that the worker takes on."""
        if self.user is not None:
            os.chown(folder, self.user, self.user)

    def _fit(self, limits: Limits) -> None:
        """What is allowed to all jobs together."""
        self._zygote.start()
        if self._cage:
            self._cage.limit(*together(limits, self._jobs))


class _Job(ZygoteJob):
    """A job that tells when it ended."""

    def __init__(self, zygote: Zygote, folder: Path, limits: Limits, ended: Callable[[Path], None]):
        super().__init__(zygote, folder, limits)
        self._tell: Callable[[Path], None] | None = ended

    def close(self) -> str:
        """Kill what is left of the job; how it ended."""
        tell, self._tell = self._tell, None
        try:
            return super().close()
        finally:
            if tell:
                tell(self.folder)
