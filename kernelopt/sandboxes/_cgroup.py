"""Control groups: memory and processes of a sandbox counted together, where this user may make groups."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
OWN = Path("/proc/self/cgroup")
REMOVAL_S = 5.0
"""Killed processes take a moment to leave their group."""

_ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"'
_numbers = itertools.count()

_FILES = {
    1: {"memory": "memory.limit_in_bytes", "swap": "memory.memsw.limit_in_bytes", "pids": "pids.max"},
    2: {"memory": "memory.max", "swap": "memory.swap.max", "pids": "pids.max"},
}
"""Cgroup version to files that hold limits. Version 1 counts memory and swap together, 2 apart."""


class Cage:
    """One group (two in cgroup v1) that processes are born into and cannot leave."""

    def __init__(self, version: int, folders: Mapping[str, Path]):
        self._version, self._folders = version, dict(folders)

    def enter(self, command: Sequence[str]) -> list[str]:
        """`command`, run inside. Not by us after its start: by then it may have children outside."""
        doors = [str(folder / "cgroup.procs") for folder in self._places()]
        return ["/bin/sh", "-c", _ENTER, "sh", *doors, "--", *command]

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Set limits for all processes inside together; threads count as processes.

        Lowering the memory below what is in use may not work at once, and is then left as it is.
        """
        files = _FILES[self._version]
        memory, pids = self._folders["memory"], self._folders["pids"]
        swap = memory_bytes if self._version == 1 else 0
        steps = [(memory / files["memory"], memory_bytes), (memory / files["swap"], swap)]
        # In version 1 the sum has to stay above the memory: set both in either order.
        for path, value in [*steps, *reversed(steps), (pids / files["pids"], processes)]:
            with contextlib.suppress(OSError):
                if path.exists():
                    path.write_text(str(value))

    def takes_processes(self) -> bool:
        """Whether a process of ours may go there: tried with one that ends at once."""
        return subprocess.run(self.enter(["/bin/true"]), capture_output=True, check=False).returncode == 0

    def remove(self) -> None:
        """Kill what is inside and remove the groups."""
        deadline = time.monotonic() + REMOVAL_S
        left = self._places()
        while left and time.monotonic() < deadline:
            for pid in {pid for folder in left for pid in _members(folder)}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            left = [folder for folder in left if not _removed(folder)]
            if left:
                time.sleep(0.01)

    def _places(self) -> list[Path]:
        return sorted(set(self._folders.values()))


def make_cage() -> Cage | None:
    """A new group for memory and processes, as near to ours as we may make one; None where we may not."""
    name = f"kernelopt-{os.getpid()}-{next(_numbers)}"
    for version, parents in _hierarchies(MOUNTS.read_text(), OWN.read_text()):
        made = {controller: _make(version, controller, above, name) for controller, above in parents.items()}
        places = {controller: place for controller, place in made.items() if place}
        cage = Cage(version, places)
        if places.keys() == {"memory", "pids"} and cage.takes_processes():
            return cage
        cage.remove()
    return None


def _hierarchies(mounts: str, own: str) -> list[tuple[int, dict[str, list[Path]]]]:
    """Version, and for each controller the groups that ours may be made in, the nearest first."""
    paths: dict[str, str] = {}  # controller, or "" for version 2, to the path of the group that we are in
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path)
    roots: dict[str, Path] = {}
    for line in mounts.splitlines():
        _, place, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            roots.setdefault("", Path(place))
        elif kind == "cgroup":
            roots |= {each: Path(place) for each in ("memory", "pids") if each in options.split(",")}
    above = {key: _upwards(root, paths[key]) for key, root in roots.items() if key in paths}
    found = []
    if {"memory", "pids"} <= above.keys():
        found.append((1, {"memory": above["memory"], "pids": above["pids"]}))
    if "" in above:
        found.append((2, {"memory": above[""], "pids": above[""]}))
    return found


def _upwards(root: Path, path: str) -> list[Path]:
    own = root / path.strip("/")
    return [each for each in (own, *own.parents) if each.is_relative_to(root) and each.is_dir()]


def _make(version: int, controller: str, above: Sequence[Path], name: str) -> Path | None:
    """The nearest new group that has the controller.

    In version 2 a group that holds processes cannot limit groups below it: there it is one further up.
    """
    for parent in above:
        _sweep(parent)
        with contextlib.suppress(OSError):
            (parent / name).mkdir(exist_ok=True)
            if (parent / name / _FILES[version][controller]).exists():
                return parent / name
        _removed(parent / name)
    return None


def _members(folder: Path) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split() if pid != "0"]
    return []


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _sweep(parent: Path) -> None:
    """Remove groups whose judge is gone; a judge that was killed could not."""
    for folder in parent.glob("kernelopt-*-*"):
        owner = re.fullmatch(r"kernelopt-(\d+)-\d+", folder.name)
        if owner and not Path("/proc", owner[1]).exists():
            _removed(folder)
