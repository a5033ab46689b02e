"""Where the processor is while a child works: looked at from outside, at moments that nobody can foresee.

A profiler inside of the child knows what PyTorch's dispatcher is told, and the child could forge it. Here its
trusted parent stops it some dozen times and reads, of each thread that was not waiting for the system, which
file the next instruction is of. `/proc/PID/task/TID/syscall` tells that of stopped threads; it needs what
reading their memory needs, and no system call that a container's filter would have to allow.

A look counts in full for each file that some thread was in: threads that turn round beside one that works
must not make little of what that one does.
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
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from processes import cpu_ns, freeze, kill, read_memory, wait_stopped

LEAST_S = 50e-6
"""Between two looks, on average: to stop and to read takes that long."""
SPREAD = 0.25, 1.75
"""How far the time between two looks is from the average, as a factor."""
MORE = 1.5
"""How many more looks than wanted would fit into the time that a child is said to need: it may need less."""
ALL_S = 1.0
"""Time for all looks together."""
BEGUN_NS = 30_000
"""Processor time from which on a child has worked: to wake up takes less."""
MOST_IDLE, BORNE = 8, 2
"""Looks between which a child did nothing lie twice as far apart each time, up to so many, beyond so many."""
STACK_BYTES = 4096
"""How much of a stack is searched for the caller of code that is in no file."""
HIDDEN = "memory that nobody may look at"
"""Stands for a path, where a process does not let its parent see where it is."""
PATIENCE = 60
"""How often it is tried to stop all at once, some 35 ms: a thread inside vfork() does not, its child does."""
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


def sampled(
    pid: int, find: Callable[[], list[int]], had_ns: int, most: int, within_s: float
) -> tuple[int, list[tuple[str, int, float]]]:
    """Look `most` times at a child that goes on, and all that it started (`find`), or until it has answered.

    `had_ns`: the time that its main thread had had (`main_ns`) when it was let go. `within_s`: how long it
    would work without looks, which are to lie anywhere in this time: the end may be unlike the beginning.

    Returns:
        At how many looks some thread ran, and for each place (path, offset in that file, looks), where the
        places of a file share the looks at which some thread was in it. No path: in memory that belongs to no
        file, called by nobody's.
    """
    found: dict[tuple[str, int], float] = {}
    maps: dict[int, Map] = {}
    looks = idle = last_ns = ran = 0
    due = time.monotonic()
    deadline, between_s = due + ALL_S, max(within_s / (MORE * most), LEAST_S)
    while looks < most and time.monotonic() < deadline:
        # As soon as it goes on, it may take the core from who let it go: that is part of the wait.
        spread = SPREAD if looks or idle else (0.0, 1.0)
        due += _CHANCE.uniform(*spread) * between_s * 2 ** max(0, idle - BORNE)
        time.sleep(max(0.0, due - time.monotonic()))
        tree = stop_all(pid, find)
        had_now = cpu_ns(tree)
        begun = main_ns(pid) > had_ns + BEGUN_NS
        busy, waits = looked_at(tree, maps) if begun else ([], False)
        due = time.monotonic()
        for each in tree:
            kill(each, signal.SIGCONT)
        if waits and not busy:
            break
        if not begun or had_now < last_ns + BEGUN_NS:  # it had no core: so leave it alone for longer
            idle = min(idle + 1, MOST_IDLE)
            continue
        looks, idle, last_ns, ran = looks + 1, 0, had_now, ran + bool(busy)
        for place, part in shares(busy).items():
            found[place] = found.get(place, 0.0) + part
    return ran, [(path, offset, count) for (path, offset), count in found.items()]


def main_call(pid: int) -> int | None:
    """In which system call the main thread of a stopped process is (-1: none); None where nobody tells."""
    with contextlib.suppress(OSError, ValueError):
        return next((call for task, call, *_ in registers(pid) if task == pid), None)
    return None


def stop_all(pid: int, find: Callable[[], list[int]]) -> list[int]:
    """Stop a child and all that it started, as near to the same moment as can be; all of them."""
    kill(pid, signal.SIGSTOP)
    tree = find()
    if len(tree) > 1:
        return freeze(find, PATIENCE)
    wait_stopped(pid)
    return tree


def shares(busy: list[tuple[str, int]]) -> dict[tuple[str, int], float]:
    """One look, told by place: each file has it in full."""
    of_file = Counter(path for path, _ in busy)
    return {place: times / of_file[place[0]] for place, times in Counter(busy).items()}


def main_ns(pid: int) -> int:
    """Processor time that the main thread of a stopped process has had; without end, where nobody tells."""
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 1 << 62


def looked_at(tree: list[int], maps: dict[int, Map]) -> tuple[list[tuple[str, int]], bool]:
    """Where each thread that works is, of stopped processes; whether the first thread waits as for orders.

    It does so for its own threads as well: then some of them work.
    """
    busy: list[tuple[str, int]] = []
    waits = False
    for pid in tree:
        # Threads may end meanwhile, whole processes too.
        with contextlib.suppress(OSError, ValueError), told_if_hidden(busy):
            for task, call, stack, address in registers(pid):
                waits |= task == tree[0] and call in SYS_RECV
                if call == -1:
                    here = maps.get(pid) or maps.setdefault(pid, Map(pid))
                    busy += callers(pid, here, stack, address)
    return [place for place in busy if not WAITING.fullmatch(place[0])], waits


@contextlib.contextmanager
def told_if_hidden(busy: list[tuple[str, int]]) -> Iterator[None]:
    """Who may not be looked at is told as being in a place of its own."""
    try:
        yield
    except PermissionError:
        busy.append((HIDDEN, 0))


def registers(pid: int) -> list[tuple[int, int, int, int]]:
    """Thread, system call (-1: none), stack pointer and next instruction, for all of a stopped process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "syscall").read_text().split()
        if len(fields) > 2:  # else it runs: it is just being stopped, or made
            found.append((int(task.name), int(fields[0]), int(fields[-2], 16), int(fields[-1], 16)))
    return found


def callers(pid: int, here: Map, stack: int, address: int) -> list[tuple[str, int]]:
    """The place of an instruction; of one in no file (code made at run time) all those that its stack names.

    Nobody knows how such code lays out its frames: words of calls that are over lie among those that count.
    """
    place = here.place(address)
    if place[0]:
        return [place]
    words = bytearray(STACK_BYTES)
    size = read_memory(pid, stack, memoryview(words)) // 8 * 8
    found = (here.place(word) for (word,) in struct.iter_unpack("Q", bytes(words[:size])))
    return list({path: (path, offset) for path, offset in found if path}.values()) or [("", 0)]
