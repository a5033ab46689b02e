"""Sandbox `process`: a process group of its own, resource limits, an empty environment, nothing inherited.

What it does not stop: the candidate runs as the same user on the same system. Where the kernel has
Landlock (Linux 5.13) and seccomp, each job gives up the network, files that are none of its business, and
other processes' memory; where control groups may be made, memory and processes of all jobs are counted
together. Nothing of that is proven before it is relied on, so nothing of it is claimed: the level is
always just ``process``. On other kernels a candidate can read what this user can read, write where this
user can write, reach the network, and signal this user's processes. Use `bwrap` or `docker` for kernels
from sources that you do not trust.
"""

from __future__ import annotations

import sys

from kernelopt.sandboxes._local import LocalSandbox


class ProcessSandbox(LocalSandbox):
    """The weakest rung of the ladder, and the one that runs everywhere."""

    name = "process"
    level = "process"

    def missing(self) -> str | None:
        """Nothing: every Linux can do this."""
        return None if sys.platform == "linux" else "the process sandbox needs Linux"


PLUGIN = ProcessSandbox
