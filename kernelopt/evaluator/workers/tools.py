"""Compilers inside the candidate's sandbox, and the way of what they built to the candidate.

A candidate's source is compiled where the candidate itself runs, in a folder of its own, while every
process of the candidate is stopped (see `Worker.load`). The judge copies the result into its cache, which
no candidate can see, and hands it on as a sealed file in memory: what is loaded is what was built, bit for
bit, and there is nothing else to find.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kernelopt.errors import EvaluatorFault
from kernelopt.inline import MOST_BYTES, read_plain
from kernelopt.languages import ToolRun
from kernelopt.languages._pch import shared_folder
from kernelopt.languages._tools import LOG, environment, finished, put
from kernelopt.sandboxes import Limits, Sandbox
from kernelopt.sandboxes._rooms import remove_tree

FILE_BYTES = 512 << 20
"""Largest file that a compiler may write inside; the room may lie in memory."""
MFD_EXEC = 0x10  # <linux/memfd.h>, since Linux 6.3


class SandboxTools:
    """A toolbox inside a sandbox; also the `Runner` of the profiler's one compiler run (see `notes`)."""

    def __init__(self, sandbox: Sandbox, limits: Limits):
        self._sandbox = sandbox
        self._limits = replace(limits, file_bytes=min(limits.file_bytes, FILE_BYTES))

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder in the sandbox's room. The judge trusts nothing in it once a tool has run there."""
        made = Path(tempfile.mkdtemp(prefix="build-", dir=self._sandbox.room))
        try:
            yield made
        finally:
            remove_tree(made)

    def run(self, command: Sequence[str], folder: Path, timeout_s: float) -> ToolRun:
        """Run a command inside.

        Raises:
            EvaluatorFault: the sandbox cannot start.
        """
        with contextlib.suppress(OSError):
            (folder / LOG).unlink()  # of an earlier run
        done = self._sandbox.execute(command, folder, self._limits, timeout_s, environment(folder))
        return finished(folder, done.code, done.seconds, done.late)

    def notes(self, files: Mapping[str, str], argv: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """Run a command in a folder with `files`; exit code (124 when late) and output."""
        with self.folder() as folder:
            for name, text in files.items():
                put(folder, name, text)
            run = self.run(argv, folder, timeout_s)
        return 124 if run.late else run.code, run.log


def readable(cache: Path) -> list[Path]:
    """Folders that a sandbox must show to compilers: PyTorch's headers, precompiled. Made if need be.

    Raises:
        StoreError: `cache` cannot be written.
    """
    return [shared_folder(cache)]


@contextlib.contextmanager
def sealed(artifact: Path) -> Iterator[int]:
    """A descriptor of a copy in memory that nobody can alter, to be loaded by a candidate.

    Raises:
        EvaluatorFault: this system has no such memory, or the artifact is gone.
    """
    try:
        content = read_plain(artifact, MOST_BYTES)
        fd = _memory()
    except OSError as problem:
        raise EvaluatorFault(f"a built library cannot be handed on: {problem}") from problem
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(content)
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
        yield fd
    finally:
        os.close(fd)


def _memory() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("kernel.so", flags | MFD_EXEC)
    except OSError:  # an older kernel, for which all such memory is executable
        return os.memfd_create("kernel.so", flags)
