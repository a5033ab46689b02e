"""The far side of the wall: a warm process that forks one child for each job.

Started by a sandbox as ``python -I worker.py [socket token]``. It imports torch once, then obeys lines
of JSON on stdin, or on that socket: ``{"socket": path, "token": hex, "folder": path, "limits": {...}}``
forks a child that connects to the judge's socket, proves itself with the token, and serves one kernel;
``{"run": argv, "folder": path, "environment": {...}, "limits": {...}}`` runs a tool, a compiler say,
with its output in ``log.txt``. What the judge cannot do itself, because a child may live in another
pid namespace, it orders: ``{"kill": pid}``, ``{"pause": pid}`` and ``{"resume": pid}`` (a child with
everything that it started; with ``"sample": n, "within_us": t`` to be looked at as it goes on), ``{"read":
pid, "spans": [[address, bytes], ...]}``. Lines on stdout report ``{"forked": pid}``, ``{"exited": pid,
"status": wait status}``, ``{"paused": pid, "at_ns": monotonic time, "cpu_ns": n}``, ``{"resumed": pid,
"at_ns": monotonic time, "cpu_ns": n, "looks": n, "places": [[path, offset, looks], ...]}``, and ``{"memory":
n}`` followed by n raw bytes.

Around it: `orders` (all but the forking), `processes` (stopping, reading and killing), `sampling` (where the
processor is), `confine` (what a child takes from itself) and `serving` (one job), and there `heap`, `cores`,
`modules`, `tensors`, `routing`, `watching`, `events`, `trained`, `interpreting` and `gpu`. All of them import
only the standard library, torch and `kernelopt.inline`.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # Python is isolated and does not do it

from orders import ORDERS, forget, note_stops, order_kill, say  # noqa: E402
from processes import (  # noqa: E402
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    descendants,
    kill_all,
    orphans,
    prctl,
)
from serving import child, tool  # noqa: E402


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


BELL: list[int] = []
"""Both ends of the pipe that rings when a child stops or ends."""


def listen_for_stops() -> int:
    """From now on a stopped child makes the returned descriptor readable."""
    BELL.extend(os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(BELL[1], warn_on_full_buffer=False)
    return BELL[0]


def reap(fd: int, children: dict[int, int]) -> None:
    """Report a child's end, and kill whatever it left behind."""
    pid = children.pop(fd)
    os.close(fd)
    forget(pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    kill_all(lambda: orphans(children))
    say({"exited": pid, "status": status})


if __name__ == "__main__":
    main()
    os._exit(0)  # its children are gone; torch would take half a second to say goodbye
