"""Processes of jobs: who belongs to whom, stopping, reading and killing them, and the time that they had.

For the warm parent, which may be the first process of its own namespace. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36  # <linux/prctl.h>


def prctl(option: int, value: int) -> None:
    """Linux process control; ignored where libc lacks it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


class Span(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def read_memory(pid: int, address: int, into: memoryview) -> int:
    """Fill `into` from `address` of another process; how many bytes of it could be read."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.process_vm_readv.restype = ctypes.c_ssize_t
    size, done = len(into), 0
    start = ctypes.addressof(ctypes.c_char.from_buffer(into)) if size else 0
    while done < size:
        here, there = Span(start + done, size - done), Span(address + done, size - done)
        got = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        if got <= 0:
            break
        done += got
    return done


def family(pid: int, children: dict[int, int]) -> list[int]:
    """A child, its descendants, and every orphan.

    A job's orphans are its own children; only those that it would not have are children of ours.
    """
    return below([pid, *orphans(children)])


def orphans(children: dict[int, int]) -> list[int]:
    """Children of ours that we did not fork."""
    return [each for each in descendants() if each not in children.values()]


def below(pids: list[int]) -> list[int]:
    """Processes with all their descendants."""
    tree, queue = [], list(pids)
    while queue and len(tree) < 4096:
        tree.append(queue.pop())
        queue += descendants(tree[-1])
    return tree


def halt(pid: int) -> None:
    """Stop one child, and wait until each of its threads has stopped.

    Not for long: a thread inside vfork() cannot be stopped before its child has become another program.
    """
    kill(pid, signal.SIGSTOP)
    wait_stopped(pid)


def wait_stopped(pid: int) -> bool:
    """Give a child up to 30 ms to stop; whether it has."""
    for attempt in range(400):
        if has_stopped(pid):
            return True
        if attempt > 100:
            time.sleep(100e-6)
    return False


def has_stopped(pid: int) -> bool:
    """Whether no thread of a child can run any more."""
    with contextlib.suppress(ChildProcessError):
        return bool(os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT))
    return True


def freeze(find: Callable[[], list[int]], patience: int = 200) -> list[int]:
    """Stop processes until those that are found are all stopped, or that was tried so often."""
    for attempt in range(patience):
        tree = find()
        for each in tree:
            kill(each, signal.SIGSTOP)
        if all(stopped(each) for each in tree) and len(find()) == len(tree):
            break
        time.sleep(20e-6 * min(attempt, 50))
    return tree


def stopped(pid: int) -> bool:
    """Whether no thread of a process can run."""
    try:
        states = [
            (task / "stat").read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]
    except OSError:
        return True
    return all(state in "tTZX" for state in states)


def cpu_ns(pids: list[int]) -> int:
    """Processor time of processes, in ns, with that of their ended children (in ticks)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The clock of another process: CPUCLOCK_SCHED (2) of <linux/posix-timers.h>.
            total += time.clock_gettime_ns((~pid << 3) | 2)
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) * 10**9 // os.sysconf("SC_CLK_TCK")
    return total


def settled_cpu_ns(pids: list[int]) -> int:
    """`cpu_ns` of processes that have just stopped, once their last thread has left its processor.

    A stop is reported some instructions before; on a virtual machine these may take 4 ms. What a thread has
    had since the last tick is added only when it leaves, so that the sum may stand still until then.
    """
    leave(pids)
    used = cpu_ns(pids)
    for _ in range(200):
        before, used = used, cpu_ns(pids)
        if used == before:
            break
        time.sleep(50e-6)
    return used


def leave(pids: list[int]) -> None:
    """Wait until each thread of stopped processes has left its processor, where the system tells.

    Linux tells the place of a stopped thread (`/proc/PID/task/TID/syscall`) only when it has.
    """
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    (task / "syscall").read_bytes()


def kill_all(find: Callable[[], list[int]]) -> None:
    """Kill children of ours with all below them. They are stopped first: a stopped one makes no new ones."""
    for _ in range(100):
        if not find():
            return
        for each in freeze(lambda: below(find())):
            kill(each)
        time.sleep(1e-3)
        for each in find():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(each, os.WNOHANG)


def descendants(pid: int | None = None) -> list[int]:
    """Direct children of a process, this one by default."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid or 'self'}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(each) for each in (task / "children").read_bytes().split()]
    return found


def kill(pid: int, what: int = signal.SIGKILL) -> bool:
    try:
        os.kill(pid, what)
    except (ProcessLookupError, PermissionError):
        return False
    return True
