"""One hostile module in a sandbox: how it is run, and what came of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from kernelopt.sandboxes import Job, Limits, Sandbox
from kernelopt.sandboxes._rooms import remove_tree

HARMLESS = "class ModelNew:\n    def __call__(self, x):\n        return 2 * x\n"
"""A module that an honest kernel might be."""
LOG_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one module did."""

    reply: dict[str, Any] | None
    """The worker's answer to the order to load it; None when the process died or spoke nonsense."""
    log: str
    """What it printed."""
    ended: str
    """How its process ended, as `Job.close` tells."""
    late: bool = False
    """It did not answer in time."""

    @property
    def loaded(self) -> bool:
        """It says that it loaded."""
        return bool(self.reply and self.reply.get("ok"))


@contextmanager
def job(sandbox: Sandbox, limits: Limits | None = None) -> Iterator[tuple[Path, Job]]:
    """A started job and its folder; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="job-", dir=sandbox.room))
    started = sandbox.start(folder, limits or Limits())
    try:
        yield folder, started
    finally:
        started.close()
        remove_tree(folder)


def load(folder: Path, started: Job, source: str, timeout_s: float) -> dict[str, Any] | None:
    """Have a job load a module text.

    Raises:
        TimeoutError: no answer in time.
    """
    import torch  # noqa: PLC0415  (the contracts of other kinds need no torch)

    (folder / "kernel.py").write_text(source)
    torch.save([], folder / "init.pt")
    for name in ("kernel.py", "init.pt"):
        (folder / name).chmod(0o644)  # whatever the umask: inside, the worker may be another user
    order = {"source": "kernel.py", "cls": "ModelNew", "seed": 0, "threads": 1}
    try:
        started.send({"do": "load", "with": order})
    except OSError:
        return None
    return started.receive(timeout_s)


def attempt(
    sandbox: Sandbox,
    source: str,
    *,
    timeout_s: float = 30.0,
    limits: Limits | None = None,
    before_close: Callable[[Path, Job], None] = lambda _, __: None,
) -> Attempt:
    """Load `source` in a job of its own. Shuts the job down whatever it does."""
    folder = Path(tempfile.mkdtemp(prefix="job-", dir=sandbox.room))
    started = sandbox.start(folder, limits or Limits())
    reply, late = None, False
    try:
        reply = load(folder, started, source, timeout_s)
    except TimeoutError:
        late = True
    before_close(folder, started)
    ended = started.close()
    log = read_log(folder)
    remove_tree(folder)
    return Attempt(reply, log, ended, late)


def read_log(folder: Path) -> str:
    """The first part of ``log.txt``, unless something else stands in its place."""
    path = folder / "log.txt"
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(LOG_BYTES).decode(errors="replace")


def works(sandbox: Sandbox) -> bool:
    """Whether an honest module loads."""
    return attempt(sandbox, HARMLESS).loaded


def named(name: str) -> int:
    """How many processes of this machine, in any namespace, call themselves `name` (at most 15 letters)."""
    found = psutil.process_iter(["name", "status"])
    return sum(each.info["name"] == name and each.info["status"] != psutil.STATUS_ZOMBIE for each in found)


def eventually(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether `condition` comes true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
