"""Sandbox `bwrap`: bubblewrap's namespaces around a warm worker, a system-call filter, and proven limits.

Inside there are no network, no processes but its own, no capabilities, user nobody, and of the file system
only /usr, this Python and kernelopt's own code, read-only. What it does not stop: the machine's kernel is
shared, and so are its caches and its processor time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kernelopt.sandboxes import _proof as proof
from kernelopt.sandboxes._bwrap_command import open_filter, wrap
from kernelopt.sandboxes._cgroup import make_cage
from kernelopt.sandboxes._channel import Channel, Pipes
from kernelopt.sandboxes._confinement import NOBODY, closed_to_nobody
from kernelopt.sandboxes._gpu import Node, closed
from kernelopt.sandboxes._local import LocalSandbox, worker_command, worker_environment

TRIAL_S = 20.0

_MEND = (
    "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, on Ubuntu also "
    "kernel.apparmor_restrict_unprivileged_userns=0"
)
_starter = ThreadPoolExecutor(1)
"""Bubblewrap with --die-with-parent ends when the thread ends that started it; this one stays."""


class _Inside(Pipes):
    """A worker that bubblewrap started: it waits outside for its only child, the first process inside."""

    @property
    def pid(self) -> int:
        """The worker's process id outside; 0 where the kernel does not tell of children."""
        outer = self.process.pid
        try:
            children = Path(f"/proc/{outer}/task/{outer}/children").read_text(encoding="ascii").split()
        except OSError:
            return 0
        return int(children[0]) if children else 0


class BwrapSandbox(LocalSandbox):
    """The middle rung of the ladder: no engine, no daemon, and root is not needed."""

    name = "bwrap"

    def __init__(self, readable: Sequence[Path] = (), gpu: str = "") -> None:
        super().__init__(readable, gpu)
        self.level = "bwrap (not started)"
        if os.geteuid() == 0:
            self.user = NOBODY
            self.room.chmod(0o711)  # nobody passes through to its job folder, and lists no others

    def missing(self) -> str | None:
        """Tried, with all that a worker is started with."""
        if not shutil.which("bwrap"):
            return "bubblewrap was not found; install it, for example: apt-get install bubblewrap"
        if self.user is not None and (problem := closed_to_nobody()):
            return problem
        if self.gpu and (problem := closed(self.gpu, to_nobody=self.user is not None)):
            return problem
        try:
            done = self._run(["/bin/true"])
        except subprocess.TimeoutExpired:
            return f"bubblewrap did not start within {TRIAL_S:.0f} s"
        if done.returncode == 0:
            return None
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return f"bubblewrap cannot make its namespaces here ({said[-1]}); {_MEND}"

    def _spawn(self, command: Sequence[str], environment: Mapping[str, str]) -> Channel:
        """Start the worker, and try the walls and limits while it gets warm."""
        fd = open_filter()
        try:
            wrapped = self._caged(wrap(command, self.room, self.readable, fd, self._nodes()))
            channel = _starter.submit(_Inside, wrapped, environment, (fd,)).result()
        finally:
            os.close(fd)
        try:
            self.level = self._prove()
        except BaseException:
            channel.close()
            raise
        return channel

    def _nodes(self) -> Sequence[Node]:
        return self.gpu.nodes if self.gpu else ()

    def _writable(self) -> Sequence[str]:
        """Private, and gone with the worker. Not what the room lies in: other jobs' folders are there."""
        private = ("/tmp", "/dev/shm")  # noqa: S108
        return [place for place in private if not self.room.is_relative_to(place)]

    def _prove(self) -> str:
        """The level of such a sandbox, tried in one of its own with small limits."""
        python, others = worker_command()[0], self._zygote.confinement["others"]
        cage = make_cage() if self._cage else None
        if cage is None:
            done = self._run([python, "-I", "-S", "-c", proof.with_rlimits(others)])
            return proof.level(self.name, ["limits: rlimits", *proof.gaps(done.returncode)])
        cage.limit(proof.MEMORY_BYTES, proof.PROCESSES)
        try:
            done = self._run([python, "-I", "-S", "-c", proof.PROBE], cage.enter)
        finally:
            cage.remove()
        return proof.level(self.name, proof.gaps(done.returncode))

    def _run(
        self, command: Sequence[str], enter: Callable[[Sequence[str]], list[str]] = list
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end in a sandbox of its own.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        fd = open_filter()
        try:
            return subprocess.run(
                enter(wrap(command, self.room, self.readable, fd, self._nodes())),
                env=worker_environment(),
                pass_fds=(fd,),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TRIAL_S,
                check=False,
            )
        finally:
            os.close(fd)


PLUGIN = BwrapSandbox
