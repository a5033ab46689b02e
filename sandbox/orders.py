"""What the judge cannot do itself to a child, as it may live in another pid namespace: orders to the parent.

Each is answered on stdout (see `worker`), but for `kill`: its answer is the end, which `worker.reap` tells.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import time

from processes import (
    cpu_ns,
    family,
    freeze,
    halt,
    has_stopped,
    kill,
    read_memory,
    settled_cpu_ns,
    wait_stopped,
)
from sampling import SYS_RECV, main_call, main_ns, sampled

IDLE_NS = 100_000
"""Processor time that a child which stopped itself may have had since, for the stop to count."""
STOPS: dict[int, tuple[int, int]] = {}
"""When a child stopped by itself, and how much processor time it had had by then."""
HAD: dict[int, dict[int, int]] = {}
"""How much processor time each process of a paused child had had when it was stopped."""
PAUSED: set[int] = set()
"""Children that stand still because the judge wants them to."""
OWING: set[int] = set()
"""Children that were paused before they came to stop themselves: they will do so when they go on.

Not those that were just doing it (both stops are one then), or have done it: to wake these when they stop
themselves the next time would have the judge wait for that stop, and so on for each batch."""
SYS_KILL = {"x86_64": 62, "aarch64": 129}.get(os.uname().machine)


def say(message: dict) -> None:
    """One line of the report."""
    os.write(1, (json.dumps(message) + "\n").encode())


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
    late = order.get("answered") and not wait_stopped(pid)
    PAUSED.add(pid)
    halt(pid)
    at_ns = time.monotonic_ns()
    if late and main_call(pid) not in (SYS_KILL, *SYS_RECV):
        OWING.add(pid)
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
    """Let a paused child go on; report when, and how much processor time it has had.

    With ``sample``: look that often at where the processor is, until the child has answered, which takes
    about ``within_us``.
    """
    tree = family(pid, children)
    STOPS.pop(pid, None)
    PAUSED.discard(pid)
    had = HAD.pop(pid, {})
    # What each has had since, one by one: one that is gone must not make up for what another one did.
    since = sum(max(0, cpu_ns([each]) - had.get(each, 0)) for each in tree)
    used, at_ns = sum(had.values()) + since, time.monotonic_ns()
    most, began_ns = order.get("sample"), main_ns(pid)
    for each in tree:
        kill(each, signal.SIGCONT)
    looks, places = 0, []
    if most:
        within_s = order["within_us"] / 1e6
        looks, places = sampled(pid, lambda: family(pid, children), began_ns, most, within_s)
        OWING.discard(pid)  # each look lets it go on
    say({"resumed": pid, "at_ns": at_ns, "cpu_ns": used, "looks": looks, "places": places})


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


def forget(pid: int) -> None:
    """It has ended."""
    STOPS.pop(pid, None)
    HAD.pop(pid, None)
    for group in (PAUSED, OWING):
        group.discard(pid)


ORDERS = {"kill": order_kill, "pause": order_pause, "resume": order_resume, "read": order_read}
