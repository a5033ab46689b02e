"""The heap of jobs, so that no call of a kernel waits for memory.

To PyTorch each output is new memory. Where glibc has given back what the one before had, or finds no room
for it in what is free, every 4 KiB cost a page fault in the midst of a call: a softmax of 16 MiB took 34 ms
instead of 4, in some calls and not in others. Reference and candidate are treated alike.
"""

from __future__ import annotations

import ctypes
import random

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # <malloc.h>
LARGEST = 32 << 20
"""Blocks up to this come from the heap: glibc's limit."""
MOST = 1 << 30
"""Freed memory at the heap's end that is kept."""
SPLINTERS = range(8, 128, 16)
"""Sizes, in bytes, of what is left over beside a block that begins at a cache line."""
KEPT = 7
"""How many of each size a thread keeps to itself: `tcache_count` of glibc."""
PAGE, LINE, LINES = 4096, 64, 64
"""Bytes of a page and of a cache line, and how many of these make a page."""
PAD = 256 << 10
"""Least bytes of a pad: what is smaller is taken from other places than outputs are."""
MOST_SPARE = 256 << 20
"""Bytes that are kept spare, at most."""
POPULATE_WRITE = 23  # MADV_POPULATE_WRITE of <linux/mman.h>; Linux 5.14


def keep_freed_memory() -> None:
    """Have this process, and those forked from it, keep memory that they free; for glibc only."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(MMAP_THRESHOLD, LARGEST)
        mallopt(TRIM_THRESHOLD, MOST)


class Room:
    """The outputs of earlier calls, and a pad in front of the next ones.

    Where outputs lie within a page, relative to inputs, alters times by tens of percent, and would be the
    same in every batch of a process. So before each the heap is shifted by a random number of cache lines:
    outputs and pad are freed, which makes one block of them, and a pad of another size is its new front.
    The first pad is the largest, so that what follows always fits into the block. Before it, all other room
    for a pad is taken, untouched. (To take what turns up later too makes the heap grow, and calls wait.)

    Something that stays may come to lie behind the outputs all the same, and then the next ones do not fit.
    So behind what is timed there is as much memory again, touched before it is needed.
    """

    def __init__(self) -> None:
        self.outputs: list = []
        self.pad = None
        self.libc = ctypes.CDLL(None)
        self.libc.malloc.restype, self.libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        self.libc.free.argtypes = [ctypes.c_void_p]
        self.libc.sbrk.restype, self.libc.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
        self.libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        self.end = 0
        """Where the heap ended before the first outputs; 0 again once there is spare memory."""

    def clear(self, *, timed: bool = False) -> list:
        """Forget what is there; the list for what comes, which is `timed` or is not."""
        import torch

        self.join_splinters()
        lines = random.randrange(LINES)
        if self.pad is None:
            self.take_holes()
            self.end = self.libc.sbrk(0)
            lines = 3 * LINES
        if timed and self.outputs and self.end:
            self.keep_spare()
        self.outputs, self.pad = [], None
        self.pad = torch.empty(PAD + LINE * lines, dtype=torch.uint8)
        return self.outputs

    def keep_spare(self) -> None:
        """Memory behind all: as much as the heap grew by for the first outputs and what came with them."""
        size, self.end = min(self.libc.sbrk(0) - self.end, MOST_SPARE), 0
        block = self.libc.malloc(size) if size > PAD else None
        if block:
            start = -(-block // PAGE) * PAGE
            self.libc.madvise(start, (block + size - start) // PAGE * PAGE, POPULATE_WRITE)
            self.libc.free(block)

    def take_holes(self) -> None:
        """Take all that is free and large enough for a pad, without touching it."""
        end = self.libc.sbrk(0)
        for _ in range(MOST // PAD):
            if self.libc.sbrk(0) != end or not self.libc.malloc(PAD):
                return

    def join_splinters(self) -> None:
        """Have blocks that this thread frees join what was left over beside them, so that they fit again.

        PyTorch's blocks begin at cache lines. glibc before 2.38 asks for a larger one and frees both ends.
        A thread keeps the first few of such ends for itself, and without them a block is too small for the
        next output of its size. Here it gets enough of them, and of those at hand the ones that lie lowest:
        ends of the block in use lie above what is older.
        """
        malloc, free = self.libc.malloc, self.libc.free
        for size in SPLINTERS:
            for block in sorted(malloc(size) or 0 for _ in range(2 * KEPT)):  # 0: there is no memory left
                free(block)
