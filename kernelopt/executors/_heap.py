"""A judge's heap: memory that was freed stays at hand."""

from __future__ import annotations

import ctypes

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # <malloc.h>
LARGEST = 32 << 20
"""Blocks up to this come from the heap: glibc's limit."""
MOST = 1 << 30
"""Freed memory at the heap's end that is kept."""


def keep_freed_memory() -> None:
    """Do not hand freed memory back to the system at once; no effect where libc is not glibc.

    A judge makes and frees tensors of some MiB all the time. Memory that is new costs a page fault for
    each 4 KiB; on a virtual machine that can take as long as comparing what is then written there.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(MMAP_THRESHOLD, LARGEST)
        mallopt(TRIM_THRESHOLD, MOST)
