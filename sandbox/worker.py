"""The far side of the wall: a warm process that forks one child for each job.

Started by a sandbox as ``python -I worker.py [socket token]``. It imports torch once, then obeys lines
of JSON on stdin, or on that socket: ``{"socket": path, "token": hex, "folder": path, "limits": {...}}``
forks a child that connects to the judge's socket, proves itself with the token, and serves one kernel;
``{"run": argv, "folder": path, "environment": {...}, "limits": {...}}`` runs a tool, a compiler say,
with its output in ``log.txt``. What the judge cannot do itself, because a child may live in another
pid namespace, it orders: ``{"kill": pid}``, ``{"pause": pid}`` and ``{"resume": pid}`` (a child with
everything that it started), ``{"read": pid, "spans": [[address, bytes], ...]}``. Lines on stdout report
``{"forked": pid}``, ``{"exited": pid, "status": wait status}``, ``{"paused": pid, "at_ns": monotonic
time, "cpu_ns": n}``, ``{"resumed": pid, "at_ns": monotonic time, "cpu_ns": n}``, and ``{"memory": n}``
followed by n raw bytes.

Around it: `processes` (stopping, reading and killing), `confine` (what a child takes from itself) and
`serving` (one job), and there `heap`, `cores`, `modules`, `tensors`, `routing`, `watching`, `events`,
`trained`, `interpreting` and `gpu`. All of them import only the standard library, torch and
`kernelopt.inline`.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import mmap
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # Python is isolated and does not do it

from processes import (  # noqa: E402
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    cpu_ns,
    descendants,
    family,
    freeze,
    halt,
    has_stopped,
    kill,
    kill_all,
    orphans,
    prctl,
    read_memory,
    settled_cpu_ns,
    wait_stopped,
)
from serving import child, tool  # noqa: E402

IDLE_NS = 100_000
"""Processor time that a child which stopped itself may have had since, for the stop to count."""


def say(message: dict) -> None:
    os.write(1, (json.dumps(message) + "\n").encode())


def connect(path: str, token: str) -> None:
    """Make a connection to the judge stdin and stdout: in a container those belong to the engine."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(path)
        wire.sendall(bytes.fromhex(token))
        os.dup2(wire.fileno(), 0)
        os.dup2(wire.fileno(), 1)


def main() -> None:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_DUMPABLE, 0)  # children run as the same user: they may not look into this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(sys.argv) > 1:
        connect(*sys.argv[1:])
    import confine

    confine.shed_privileges()
    get_warm()
    say({"ready": os.getpid()})
    children: dict[int, int] = {}
    pending = b""
    bell = listen_for_stops()
    while True:
        ready, _, _ = select.select([bell, 0, *children], [], [])
        for fd in ready:
            if fd == bell:
                note_stops(bell, children)
            elif fd == 0:
                data = os.read(0, 65536)
                if not data:
                    kill_all(descendants)
                    return
                pending += data
                *lines, pending = pending.split(b"\n")
                for line in lines:
                    obey(json.loads(line), children)
            else:
                reap(fd, children)


def get_warm() -> None:
    """Import and do once, here, what every child would have to do for itself.

    Nothing big enough for torch to start threads: they do not survive a fork.
    """
    import heap
    import routing
    import torch.utils.cpp_extension
    import trained  # noqa: F401
    import watching

    heap.keep_freed_memory()
    routing.prepare()
    watching.prepare()
    for weights_only in (True, False):
        with io.BytesIO() as file:
            torch.save([torch.zeros(1)], file)
            file.seek(0)
            torch.load(file, weights_only=weights_only)
    # A child whose collector looks at what is here would get copies of all pages that it lies in.
    gc.collect()
    gc.freeze()


def obey(order: dict, children: dict[int, int]) -> None:
    """Follow one order of the judge."""
    for name, follow in ORDERS.items():
        if name in order:
            if order[name] in children.values():
                follow(order[name], order, children)
            elif follow is not order_kill:  # which has no answer: the end is told when it comes
                say({"gone": order[name]})
            return
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in (*BELL, *children):
            os.close(fd)
        tool(order) if "run" in order else child(order)
        os._exit(0)
    children[os.pidfd_open(pid)] = pid
    say({"forked": pid})


def order_kill(pid: int, order: dict, children: dict[int, int]) -> None:
    """Kill a child with all that it started; none of them runs when this returns. `reap` tells the end.

    So nobody has to wait for the end, which takes long where memory is given back.
    """
    tree = family(pid, children)
    if len(tree) > 1:
        tree = freeze(lambda: family(pid, children))
    for each in tree:
        kill(each)


def order_pause(pid: int, order: dict, children: dict[int, int]) -> None:
    """Stop a child and all that it started; report when, and how much processor time they have had."""
    if order.get("answered") and not wait_stopped(pid):
        OWING.add(pid)
    PAUSED.add(pid)
    halt(pid)
    at_ns = time.monotonic_ns()
    tree = family(pid, children)
    if len(tree) > 1:
        tree = freeze(lambda: family(pid, children))
        at_ns = time.monotonic_ns()
    settled_cpu_ns(tree)
    HAD[pid] = {each: cpu_ns([each]) for each in tree}
    used = sum(HAD[pid].values())
    if len(tree) == 1 and pid in STOPS:
        stopped_ns, used_then = STOPS[pid]
        at_ns = stopped_ns if used - used_then < IDLE_NS else at_ns
    say({"paused": pid, "at_ns": at_ns, "cpu_ns": used})


def order_resume(pid: int, order: dict, children: dict[int, int]) -> None:
    """Let a paused child go on; report when, and how much processor time it has had."""
    tree = family(pid, children)
    STOPS.pop(pid, None)
    PAUSED.discard(pid)
    had = HAD.pop(pid, {})
    # What each has had since, one by one: one that is gone must not make up for what another one did.
    since = sum(max(0, cpu_ns([each]) - had.get(each, 0)) for each in tree)
    used, at_ns = sum(had.values()) + since, time.monotonic_ns()
    for each in tree:
        kill(each, signal.SIGCONT)
    say({"resumed": pid, "at_ns": at_ns, "cpu_ns": used})


def order_read(pid: int, order: dict, children: dict[int, int]) -> None:
    """Copy memory out of a child, without any help of its own; nothing when a span is not there."""
    spans = order["spans"]
    view = memoryview(shelf(sum(size for _, size in spans)))
    end = 0
    for address, size in spans:
        end += read_memory(pid, address, view[end : end + size])
    whole = end == sum(size for _, size in spans)
    say({"memory": end if whole else 0, "whole": whole})
    view = view[: end if whole else 0]
    while view:
        view = view[os.write(1, view) :]


SHELF: list[mmap.mmap] = []


def shelf(size: int) -> mmap.mmap:
    """Memory for what is read out of children, used again and again: it is slow to touch anew.

    No child inherits it, or it would hold another one's outputs.
    """
    if not SHELF or len(SHELF[0]) < size:
        SHELF[:] = [mmap.mmap(-1, max(size, mmap.PAGESIZE))]
        SHELF[0].madvise(mmap.MADV_DONTFORK)
    return SHELF[0]


BELL: list[int] = []
"""Both ends of the pipe that rings when a child stops or ends."""
STOPS: dict[int, tuple[int, int]] = {}
"""When a child stopped by itself, and how much processor time it had had by then."""
HAD: dict[int, dict[int, int]] = {}
"""How much processor time each process of a paused child had had when it was stopped."""
PAUSED: set[int] = set()
"""Children that stand still because the judge wants them to."""
OWING: set[int] = set()
"""Children that were paused before they came to stop themselves: they will do so when they go on."""


def listen_for_stops() -> int:
    """From now on a stopped child makes the returned descriptor readable."""
    BELL.extend(os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(BELL[1], warn_on_full_buffer=False)
    return BELL[0]


def note_stops(bell: int, children: dict[int, int]) -> None:
    """Remember when children stopped, as near to it as can be: nobody needs to have asked by then.

    Not of one that has started other processes: with these, only the pause itself ends its work.
    """
    now = time.monotonic_ns()
    with contextlib.suppress(BlockingIOError):
        os.read(bell, 4096)
    for pid in children.values():
        if pid in STOPS or pid in PAUSED or not has_stopped(pid):
            continue
        if pid in OWING:
            OWING.discard(pid)
            kill(pid, signal.SIGCONT)
        elif family(pid, children) == [pid]:  # another process of its could go on with its work
            STOPS[pid] = now, cpu_ns([pid])


ORDERS = {"kill": order_kill, "pause": order_pause, "resume": order_resume, "read": order_read}


def reap(fd: int, children: dict[int, int]) -> None:
    """Report a child's end, and kill whatever it left behind."""
    pid = children.pop(fd)
    os.close(fd)
    STOPS.pop(pid, None)
    HAD.pop(pid, None)
    for group in (PAUSED, OWING):
        group.discard(pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    kill_all(lambda: orphans(children))
    say({"exited": pid, "status": status})


if __name__ == "__main__":
    main()
    os._exit(0)  # its children are gone; torch would take half a second to say goodbye
