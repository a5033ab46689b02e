"""Precedence of timed processes over whatever else this machine does, where this user may give it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
from pathlib import Path

URGENT, USUAL = -10, 0
"""Nice value of timed processes, all their life: a kernel could tell by it which calls are timed. A time
slice that another process has costs a batch 3 ms or more."""
FOREMOST, TURN_NS = -20, 100_000
"""Nice value of who stops those processes and looks at them, and how long a turn it wants (Linux 6.12)."""
_ATTRIBUTES = struct.Struct("IIQiIQQQ")
"""``struct sched_attr`` of <linux/sched/types.h>, in its first version."""
SCHED_OTHER, RESET_ON_FORK = 0, 1
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}


def precede(pid: int, nice: int = URGENT) -> bool:
    """Give the process group of `pid` this nice value; whether that is how it stands now.

    The kernel may group processes by session and share the machine evenly among sessions (autogroup);
    then nice values count within one, and a session has one of its own.
    """
    try:
        os.setpriority(os.PRIO_PGRP, os.getpgid(pid), nice)
    except OSError:
        return False
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))
    return True


def come_first(pid: int) -> None:
    """Let a process, and none that it forks, come before timed ones, if only for short turns.

    For who stops them and looks at them: whoever has just let two of them go would have to wait for the end
    of their turn, which was 1 to 5 ms at a nice value of -15. (Real time is worse: with a process of that
    kind, Linux 6.18 let others wait for a second, on a processor where nothing ran.)
    """
    turn = _ATTRIBUTES.pack(_ATTRIBUTES.size, SCHED_OTHER, RESET_ON_FORK, FOREMOST, 0, TURN_NS, 0, 0)
    precede(pid, FOREMOST)
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None).syscall(number, pid, turn, 0)
