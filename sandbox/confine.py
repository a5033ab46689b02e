"""What a process on the far side takes from itself before it runs candidate code. Nothing gives it back.

Each step is as strong as this kernel allows and is left out where it knows no such thing; what a sandbox
claims is proven by its own probe and by the contract tests, never by these calls having been made.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
from pathlib import Path

PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38  # <linux/prctl.h>
SECCOMP_MODE_FILTER = 2  # <linux/seccomp.h>
CAP_DAC_READ_SEARCH, LAST_CAP = 2, 63  # <linux/capability.h>
CAPABILITY_VERSION = 0x20080522
SYS_LANDLOCK = 444  # create_ruleset, add_rule, restrict_self: the same numbers on every architecture

# <linux/landlock.h>
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
REFER, TRUNCATE = 1 << 13, 1 << 14
READING = EXECUTE | READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
BIND_AND_CONNECT_TCP = 3
SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty")

libc = ctypes.CDLL(None, use_errno=True)


def take_on(order: dict, folder: Path) -> None:
    """Everything but the filter of system calls, as an order to fork says it."""
    wanted = order.get("confine") or {}
    os.environ["TMPDIR"] = str(folder)
    with contextlib.suppress(OSError):
        # When memory is short, the kernel ends a job before the worker that everybody shares.
        Path("/proc/self/oom_score_adj").write_text("1000")
    limit(order["limits"], wanted.get("others"))
    if "readable" in wanted:
        fence(folder, wanted["readable"], wanted["writable"])


def shed_privileges() -> None:
    """Give up every capability but that to read files of other users, for good.

    Root without them cannot look into a process that has some, the judge's. Reading stays, because this
    Python may lie in another user's home.
    """
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in set(range(LAST_CAP + 1)) - {CAP_DAC_READ_SEARCH}:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    head = struct.pack("Ii", CAPABILITY_VERSION, 0)
    now = ctypes.create_string_buffer(24)
    if libc.capget(head, now) == 0:
        kept = struct.unpack("6I", now.raw)[1] & (1 << CAP_DAC_READ_SEARCH)
        libc.capset(head, struct.pack("6I", kept, kept, 0, 0, 0, 0))


def limit(limits: dict, others: int | None) -> None:
    """Take on resource limits. `others`: threads that this user has elsewhere; None leaves them uncounted."""
    pairs = [
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ]
    if limits.get("address_space", True):
        pairs.append((resource.RLIMIT_AS, limits["memory_bytes"]))
    if others is not None:
        pairs.append((resource.RLIMIT_NPROC, limits["processes"] + others))
    for which, value in pairs:
        _, hard = resource.getrlimit(which)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (ceiling, ceiling))


def fence(folder: Path, readable: list[str], writable: list[str]) -> bool:
    """Landlock: files elsewhere, TCP, other processes' memory, signals to them. Whether it holds."""
    version = libc.syscall(SYS_LANDLOCK, None, 0, 1)
    if version < 1:
        return False
    newer = (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    everything = READING | WRITE_FILE | REMOVE_AND_MAKE | newer
    net = BIND_AND_CONNECT_TCP if version >= 4 else 0
    scoped = SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = struct.pack("QQQ", everything, net, scoped)[:size]
    rules = libc.syscall(SYS_LANDLOCK, attributes, ctypes.c_size_t(size), 0)
    if rules < 0:
        return False
    for path in readable:
        _allow(rules, path, READING & everything)
    for path in (str(folder), *writable):
        _allow(rules, path, everything)
    for path in DEVICES:
        _allow(rules, path, (WRITE_FILE | READ_FILE | TRUNCATE) & everything)
    done = libc.syscall(SYS_LANDLOCK + 2, rules, 0)
    os.close(rules)
    return done == 0


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not Path(path).is_dir():
        access &= OF_FILES
    libc.syscall(SYS_LANDLOCK + 1, rules, 1, struct.pack("=Qi", access, place), 0)
    os.close(place)


def seal(order: dict) -> None:
    """Filter system calls from now on, by the compiled program that an order to fork may hold."""
    program = bytes.fromhex((order.get("confine") or {}).get("filter", ""))
    if program:
        code = ctypes.create_string_buffer(program, len(program))
        head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
        libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head, 0, 0)
