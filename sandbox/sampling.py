"""Where the processor is while a child works: looked at from outside, at moments that nobody can foresee.

A profiler inside of the child knows what PyTorch's dispatcher is told, and the child could forge it. Here its
trusted parent stops it some dozen times and reads, of each thread that was not waiting for the system, which
file the next instruction is of. `/proc/PID/task/TID/syscall` tells that of stopped threads; it needs what
reading their memory needs, and no system call that a container's filter would have to allow.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import random
import re
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path

from processes import cpu_ns, freeze, halt, kill, read_memory

SHORTEST_S, LONGEST_S = 100e-6, 500e-6
"""Between two looks."""
ALL_S = 1.0
"""Time for all looks together."""
BEGUN_NS = 30_000
"""Processor time from which on a child has worked: to wake up takes less."""
MOST_IDLE = 6
"""Looks between which a child did nothing lie twice as far apart each time, so often."""
STACK_BYTES = 4096
"""How much of a stack is searched for the caller of code that is in no file."""
SYS_RECV = {"x86_64": (45, 47), "aarch64": (207, 212)}.get(os.uname().machine, ())
"""recvfrom and recvmsg: where the main thread of a child is that waits for orders."""
WAITING = re.compile(r"/(?!memfd:).*/lib(gomp|iomp5|omp)[-.\w]*")
"""Threads of OpenMP's turn round here until there is something to do."""
_CHANCE = random.SystemRandom()


class Map:
    """The executable parts of a process's memory that are of files."""

    def __init__(self, pid: int):
        self.starts: list[int] = []
        self.parts: list[tuple[int, int, str]] = []
        for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            span, rights, offset, _, _, *path = line.split(None, 5)
            if "x" in rights:
                start, end = (int(each, 16) for each in span.split("-"))
                self.starts.append(start)
                self.parts.append((end, int(offset, 16), path[0] if path else ""))

    def place(self, address: int) -> tuple[str, int]:
        """Path and offset in the file; no path where it is of no file."""
        index = bisect.bisect_right(self.starts, address) - 1
        if index < 0 or address >= self.parts[index][0]:
            return "", 0
        _, offset, path = self.parts[index]
        return path, address - self.starts[index] + offset


def sampled(pid: int, find: Callable[[], list[int]], had_ns: int, most: int) -> list[list]:
    """Look `most` times at a child that goes on, and all that it started (`find`), or until it has answered.

    `had_ns`: the time that its main thread had had (`main_ns`) when it was let go.

    Returns:
        [path, offset in that file, samples]: each look at which some thread ran counts as one sample, which
        the threads that ran share. No path: in memory that belongs to no file, called by nobody's.
    """
    found: dict[tuple[str, int], float] = {}
    maps: dict[int, Map] = {}
    looks = idle = last_ns = 0
    deadline = time.monotonic() + ALL_S
    while looks < most and time.monotonic() < deadline:
        # Who sleeps wakes late where others want the core, and a batch may be short.
        (time.sleep if looks or idle else spin)(_CHANCE.uniform(SHORTEST_S, LONGEST_S) * 2**idle)
        halt(pid)
        tree = find()
        tree = freeze(find) if len(tree) > 1 else tree
        had_now = cpu_ns(tree)
        begun = main_ns(pid) > had_ns + BEGUN_NS
        busy, waits = looked_at(tree, maps) if begun else ([], False)
        for each in tree:
            kill(each, signal.SIGCONT)
        if waits and not busy:
            break
        if not begun or had_now < last_ns + BEGUN_NS:  # it had no core: so leave it alone for longer
            idle = min(idle + 1, MOST_IDLE)
            continue
        looks, idle, last_ns = looks + 1, 0, had_now
        for place in busy:
            found[place] = found.get(place, 0.0) + 1 / len(busy)
    return [[path, offset, count] for (path, offset), count in found.items()]


def main_ns(pid: int) -> int:
    """Processor time that the main thread of a stopped process has had; without end, where nobody tells."""
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 1 << 62


def spin(seconds: float) -> None:
    """Wait, and keep the core."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def looked_at(tree: list[int], maps: dict[int, Map]) -> tuple[list[tuple[str, int]], bool]:
    """Where each thread that works is, of stopped processes; whether the first thread waits as for orders.

    It does so for its own threads as well: then some of them work.
    """
    busy: list[tuple[str, int]] = []
    done = False
    for pid in tree:
        with contextlib.suppress(OSError, ValueError):
            for task, call, stack, address in registers(pid):
                done |= task == tree[0] and call in SYS_RECV
                if call == -1:
                    here = maps.get(pid) or maps.setdefault(pid, Map(pid))
                    busy.append(caller(pid, here, stack, address))
    return [place for place in busy if not WAITING.fullmatch(place[0])], done


def registers(pid: int) -> list[tuple[int, int, int, int]]:
    """Thread, system call (-1: none), stack pointer and next instruction, for all of a stopped process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "syscall").read_text().split()
        if len(fields) > 2:  # else it runs: it is just being stopped, or made
            found.append((int(task.name), int(fields[0]), int(fields[-2], 16), int(fields[-1], 16)))
    return found


def caller(pid: int, here: Map, stack: int, address: int) -> tuple[str, int]:
    """The place of an instruction; of one in no file (code made at run time) that of who called it."""
    place = here.place(address)
    if place[0]:
        return place
    words = bytearray(STACK_BYTES)
    size = read_memory(pid, stack, memoryview(words)) // 8 * 8
    callers = (here.place(word) for (word,) in struct.iter_unpack("Q", bytes(words[:size])))
    return next((each for each in callers if each[0]), ("", 0))
