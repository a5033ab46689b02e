"""Events of PyTorch's profiler → its own operators: [names of it and what it is inside of, size, us]."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

NAMESPACES = "aten prim prims quantized _quantized mkldnn mkldnn_prepacked mkl onednn"
"""Namespaces of PyTorch's own operators; any other belongs to the kernel."""
_FRAMEWORK = re.compile(rf"({'|'.join(NAMESPACES.split())})::\w{{1,80}}")
MOST, DEEPEST = 1024, 6


def apart(events: Iterable[Any]) -> list:
    """The framework's operators of all threads, each with those that it is inside of, by their times."""
    found: list = []
    inside: dict[int, list] = {}
    for event in sorted(events, key=lambda one: (one.start_ns(), -one.end_ns())):
        if not _FRAMEWORK.fullmatch(event.name()):
            continue
        around = [one for one in inside.get(event.start_thread_id(), []) if one.end_ns() >= event.end_ns()]
        inside[event.start_thread_id()] = around = [*around, event]
        names = "/".join([one.name() for one in around][-DEEPEST:])
        size = max([*map(math.prod, event.shapes()), 0])
        found.append([names, size, (event.end_ns() - event.start_ns()) / 1000])
    return found


def largest(triples: Iterable[list]) -> list:
    """Each name once, with its largest size and the sum of its times; the largest ones first."""
    found: dict[str, list] = {}
    for names, size, us in triples:
        before = found.get(names, [names, 0, 0.0])
        found[names] = [names, max(size, before[1]), us + before[2]]
    return sorted(found.values(), key=lambda one: -one[1])[:MOST]


def nested(events: Iterable[Any]) -> list:
    """The framework's operators, each with those that it is inside of, its largest argument and its time.

    Whether one inside of another is a part of it, the judge decides: events of any name are easily made.
    """
    found: list = []
    inside: list = []
    for event in events:
        kind = event.kind()
        if kind == "mark":  # another thread's begin
            inside.clear()
        if kind == "pop" and inside:
            _, begun, entry = inside.pop()
            entry[2] = begun.cpu_elapsed_us(event)
        if kind != "push":
            continue
        name = event.name()
        inside.append((name if _FRAMEWORK.fullmatch(name) else "", event, entry := ["", 0, 0.0]))
        if inside[-1][0]:
            entry[0] = "/".join([one for one, *_ in inside if one][-DEEPEST:])
            entry[1] = max([*map(math.prod, event.shapes()), 0])
            found.append(entry)
    return found
