"""Compilers on this side of the wall (`HostTools`), and what every toolbox does alike.

`HostTools` is for text that we wrote ourselves, for trials and for benchmarks. The judge builds what a
candidate asks for inside the candidate's sandbox: see `evaluator.tools`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from kernelopt.inline import open_plain
from kernelopt.languages import ToolRun

LOG = "log.txt"
"""File in a work folder that holds what a tool printed; the name that sandboxes use."""
LOG_BYTES = 4 << 20
"""Most of it that is read; with PyTorch's headers nvcc prints a quarter of that, other builds far less."""
MEMORY_KIB = 8 << 20
"""Address space of one process on the host."""
FILE_BLOCKS = 4 << 21
"""Largest file that it may write, in blocks of 512 bytes: precompiled headers take up to 0.8 GB."""

_LIMITED = """{ ulimit -v "$1"; ulimit -f "$2"; ulimit -c 0; } 2>/dev/null; shift 2; exec "$@\""""


class HostTools:
    """A toolbox without a sandbox: limits, a bare environment, and a process group that is killed."""

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A private folder among the temporary files."""
        with tempfile.TemporaryDirectory(prefix="kernelopt-build-", ignore_cleanup_errors=True) as name:
            yield Path(name)

    def run(self, command: Sequence[str], folder: Path, timeout_s: float) -> ToolRun:
        """Run a command; its whole process group dies at the deadline."""
        started, late = time.monotonic(), False
        with (folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _LIMITED, "sh", str(MEMORY_KIB), str(FILE_BLOCKS), *command],
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                process.wait(max(timeout_s, 0.0))
            except subprocess.TimeoutExpired:
                late = True
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
        return finished(folder, code, time.monotonic() - started, late)


def environment(folder: Path) -> dict[str, str]:
    """All that a tool is told: where programs are, and to keep its temporary files in its folder."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "LC_ALL": "C", "TMPDIR": str(folder), "HOME": str(folder)}


def finished(folder: Path, code: int, seconds: float, late: bool) -> ToolRun:
    """A run with the first part of its log; an empty log where something else stands in its place."""
    printed = b""
    with contextlib.suppress(OSError), open_plain(folder / LOG) as log:
        printed = log.read(LOG_BYTES + 1)
    text = printed[:LOG_BYTES].decode(errors="replace")
    if late:
        text += f"the compiler was stopped after {seconds:.0f} s\n"
    return ToolRun(code, text, seconds, late, len(printed) <= LOG_BYTES)


def put(folder: Path, name: str, text: str) -> None:
    """Write a file that a tool of another user may read, whatever the umask."""
    path = folder / name
    for above in reversed([part for part in path.parents if part.is_relative_to(folder) and part != folder]):
        above.mkdir(exist_ok=True)
        above.chmod(0o755)
    path.write_text(text, encoding="utf-8", errors="replace")
    path.chmod(0o644)
