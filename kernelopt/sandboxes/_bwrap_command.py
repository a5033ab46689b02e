"""The command line of bubblewrap: what is shown inside, and what is taken away."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes._confinement import NOBODY, host_folders, outermost
from kernelopt.sandboxes._gpu import Node
from kernelopt.sandboxes._local import worker_command
from kernelopt.sandboxes._seccomp import compiled

TMP_BYTES = 1 << 30
"""Size of /tmp; it counts as the sandbox's memory."""
SHM_BYTES = 64 << 20
"""Size of /dev/shm, as in containers."""

_BECOME_NOBODY = ("capset", "setgroups", "setresgid", "setresuid")
"""System calls for `sandbox/drop.py`: once it used them, they change nothing any more."""


def wrap(
    command: Sequence[str],
    room: Path,
    readable: Iterable[Path],
    filter_fd: int,
    nodes: Iterable[Node] = (),
) -> list[str]:
    """`command` inside bubblewrap, with the compiled filter that lies in a descriptor.

    `nodes`: device files that it may use besides the harmless ones.
    """
    return [
        "bwrap",
        *("--die-with-parent", "--new-session", "--as-pid-1"),
        *("--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", "sandbox"),
        *_made(nodes),
        *_shown([*host_folders(), *readable]),
        *("--bind", str(room), str(room)),
        *("--remount-ro", "/", "--chdir", "/"),
        *("--seccomp", str(filter_fd)),
        *_as_nobody(command),
    ]


def open_filter() -> int:
    """A descriptor from which bubblewrap reads its filter."""
    fd = os.memfd_create("filter", 0)
    os.write(fd, compiled("seccomp", also=_BECOME_NOBODY if os.geteuid() == 0 else ()))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _shown(folders: Iterable[Path]) -> list[str]:
    """Read-only, at the same path. In most systems /bin and the like are links into /usr."""
    arguments: list[str] = []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if (path := Path("/") / name).is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
    shown = {path: path for path in outermost([*folders, *_processors()])}
    shown |= {Path("/etc") / path.name: path for path in sorted((data_folder("sandbox") / "etc").iterdir())}
    # Those that it makes itself are open to their owner only.
    for path in sorted({above for place in shown for above in place.parents[:-1]}):
        arguments += ["--perms", "0755", "--dir", str(path)]
    for place, path in shown.items():
        arguments += ["--ro-bind", str(path), str(place)]
    return arguments


def _processors() -> list[Path]:
    """What libraries read to count processors and caches."""
    parts = (Path("/sys/devices/system") / name for name in ("cpu", "node"))
    return [path for path in parts if path.exists()]


def _made(nodes: Iterable[Node]) -> list[str]:
    """Of its own: processes, the harmless devices and those that it is given, memory for temporary files."""
    return [
        *("--proc", "/proc", "--dev", "/dev"),
        *(word for node in nodes for word in ("--dev-bind", str(node.source), node.place)),
        *("--perms", "1777", "--size", str(SHM_BYTES), "--tmpfs", "/dev/shm"),  # noqa: S108
        *("--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"),  # noqa: S108
        *("--remount-ro", "/dev"),
    ]


def _as_nobody(command: Sequence[str]) -> list[str]:
    """By a user namespace, in which we are nobody; or, for root, by becoming nobody.

    In a namespace of root's, nobody would be root all the same to every file outside: to the devices, say.
    """
    if os.geteuid() != 0:
        ids = ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
        return [*ids, "--cap-drop", "ALL", "--", *command]
    kept = [word for name in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{name}")]
    drop = [worker_command()[0], "-I", "-S", str(data_folder("sandbox") / "drop.py"), str(NOBODY)]
    return ["--cap-drop", "ALL", *kept, "--", *drop, *command]
