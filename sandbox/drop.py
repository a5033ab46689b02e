"""Become the user of the first argument, for good, and then the command behind it.

Bubblewrap that is started by root has one user inside, root: as that it would still own the devices.
"""

import ctypes
import os
import struct
import sys

CAPABILITY_VERSION = 0x20080522
PR_CAPBSET_DROP, LAST_CAP = 24, 63  # <linux/prctl.h>, <linux/capability.h>

user = int(sys.argv[1])
libc = ctypes.CDLL(None)
for capability in range(LAST_CAP + 1):
    libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24))
os.execv(sys.argv[2], sys.argv[2:])
