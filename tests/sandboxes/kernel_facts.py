"""What the kernel of this machine, and this user's rights, let sandboxes do."""

import ctypes

from kernelopt.sandboxes._cgroup import make_cage

LANDLOCK = ctypes.CDLL(None).syscall(444, None, 0, 1)
"""Version of its interface; below 1 there is none."""


def may_make_groups():
    """Whether memory and processes can be counted together."""
    cage = make_cage()
    if cage:
        cage.remove()
    return cage is not None
