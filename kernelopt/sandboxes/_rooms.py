"""Folders that judge and candidates share: made in memory, and removed whatever candidates put into them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SHM = Path("/dev/shm")  # noqa: S108  (the folder made in it is private)
LEAST_BYTES = 1 << 30
"""A smaller one, such as the 64 MiB of most containers, would not hold what a compiler writes."""


def make_room() -> Path:
    """A fresh folder for job folders: in memory where the system offers enough of that.

    Those of judges that were killed are removed first; their memory would stay taken.
    """
    # A process id means something in one pid namespace only.
    ours = f"kernelopt-{Path('/proc/self/ns/pid').stat().st_ino}-"
    disk = Path(tempfile.gettempdir())
    memory = SHM if os.access(SHM, os.W_OK) else disk
    for place in (memory, disk):
        _sweep(place, ours)
    place = memory if shutil.disk_usage(memory).free >= LEAST_BYTES else disk
    return Path(tempfile.mkdtemp(prefix=f"{ours}{os.getpid()}-", dir=place))


def _sweep(place: Path, ours: str) -> None:
    for left in place.glob(f"{ours}*"):
        if not Path("/proc", left.name.removeprefix(ours).partition("-")[0]).exists():
            remove_tree(left)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that a candidate may have put there; nothing when it is gone already."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # thousands of folders, one in another
        subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False)
