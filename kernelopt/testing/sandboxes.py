"""What every sandbox does, as a test class: one attack a test, and after each the next evaluation works."""

from __future__ import annotations

from kernelopt.testing._sandbox_endings import Endings
from kernelopt.testing._sandbox_limits import Bounds
from kernelopt.testing._sandbox_service import Service
from kernelopt.testing._sandbox_walls import Walls

PROMISES = frozenset(
    {
        "network",  # no TCP, no UDP, to this machine or beyond
        "host-sockets",  # no Unix socket of the host, abstract or by path
        "write-outside",  # nothing outside of its own folder is made, written or removed
        "metadata",  # no permissions, owners or times outside of its own folder are altered
        "read-files",  # no file but the system's, this Python's, and those it was shown
        "look-at-processes",  # no memory, environment or descriptors of processes that it did not start
        "signals",  # no signal reaches a process outside of the sandbox
        "fork-bomb",  # its processes are counted together
        "memory-bomb",  # the memory of its processes is counted together
        "disk-fill",  # files and processes are counted together, in its folder and wherever else it may write
    }
)
"""What a sandbox may promise; a contract class says in `stops` which of these its sandbox keeps."""


class SandboxContract(Walls, Bounds, Endings, Service):
    """What every sandbox does.

    Fixture: `sandbox`, a usable one; the same for all tests of the module, because its warm worker is what
    has to survive them. `stops` names the promises that it keeps; tests of others are skipped. Whatever is
    not among `PROMISES` every sandbox must do.
    """

    stops = PROMISES
