"""What each job takes from itself (`sandbox/confine.py` does it), said by the judge."""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kernelopt import resources
from kernelopt.sandboxes._seccomp import compiled

NOBODY = 65534
"""Uid and gid of whoever owns nothing."""

_DESCRIPTIONS = ("/proc", "/dev/random", "/dev/urandom", "/sys/devices/system")
"""Read by libraries that ask for processors, memory and randomness."""


def host_folders() -> list[Path]:
    """What of the host a job may see, read-only: the system, this Python, and our own code."""
    root = [Path("/usr"), Path("/etc/alternatives"), Path("/etc/ld.so.cache")]
    root += [Path("/") / name for name in ("bin", "lib", "lib32", "lib64", "libx32", "sbin")]
    python = [Path(sys.prefix), Path(sys.base_prefix)]
    ours = [Path(resources.__file__).parent, resources.folder("sandbox")]
    there = [path for path in [*root, *python, *ours] if path.exists()]
    real = [path.resolve() for path in [*python, *ours]]
    return [path for path in [*there, *real] if not (path.parent == Path("/") and path.is_symlink())]


def closed_to_nobody() -> str | None:
    """What of the host the worker needs and user nobody may not read, in words: the work of umask 077.

    Folders above those that are shown do not matter: inside there are others in their place.
    """
    shown = set(host_folders())
    needed = [resources.folder("sandbox") / "worker.py", Path(sys.executable).resolve()]
    for file in [*needed, Path(sysconfig.get_path("purelib"))]:
        for path in (file, *file.parents):
            if not path.stat().st_mode & (stat.S_IXOTH if path.is_dir() else stat.S_IROTH):
                return f"user nobody may not read {path}, which is needed inside; run: chmod -R go+rX {path}"
            if path in shown:
                break
    return None


def outermost(paths: Iterable[Path]) -> list[Path]:
    """`paths` without those that lie inside another one."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(above) for above in kept):
            kept.append(path)
    return kept


def confinement(
    readable: Sequence[Path] = (),
    writable: Sequence[str] = (),
    user: int | None = None,
    *,
    gpu: bool = False,
) -> dict[str, Any]:
    """What an order to fork says under ``confine``.

    `readable` are folders besides those of the host, `writable` those besides the job's own. With `user`
    the processes of that user are limited; whatever else it runs on this machine comes on top. A job with
    a `gpu` is limited in what it allocates, not in addresses: CUDA reserves as many as all memory has.
    """
    seen = outermost([*host_folders(), *map(Path, _DESCRIPTIONS), *readable])
    return {
        "readable": [str(path) for path in seen],
        "writable": list(writable),
        "filter": compiled("seccomp_job").hex(),
        "others": None if user is None else _threads(user),
        "reserves": gpu,
    }


def _threads(user: int) -> int:
    """Threads of a user on this machine, which RLIMIT_NPROC counts too."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == user:
                    count += sum(1 for _ in os.scandir(f"/proc/{entry.name}/task"))
            except OSError:
                continue  # it ended
    return count
