"""Precedence of timed processes over whatever else this machine does, where this user may give it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

URGENT = -10
"""Nice value while timed. A time slice that another process has costs a batch 3 ms or more."""


def precede(pid: int, *, urgent: bool = True) -> bool:
    """Give the process group of `pid` precedence, or take it back; whether that is how it stands now.

    The kernel may group processes by session and share the machine evenly among sessions (autogroup);
    then nice values count within one, and a session has one of its own.
    """
    nice = URGENT if urgent else 0
    try:
        os.setpriority(os.PRIO_PGRP, os.getpgid(pid), nice)
    except OSError:
        return False
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))
    return True
