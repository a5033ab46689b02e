"""Events of PyTorch's profiler → its own operators, each with those that it is inside of."""

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
        found.append([names, max([*map(math.prod, event.shapes()), 0])])
    return found


def largest(pairs: Iterable[list]) -> list:
    """Each name once, with its largest size; the largest ones first."""
    found: dict[str, int] = {}
    for names, size in pairs:
        found[names] = max(size, found.get(names, 0))
    return sorted(map(list, found.items()), key=lambda one: -one[1])[:MOST]


def nested(events: Iterable[Any]) -> list:
    """The framework's operators, each with those that it is inside of.

    Whether one inside of another is a part of it, the judge decides: events of any name are easily made.
    """
    found: dict[str, int] = {}
    inside: list[str] = []
    for event in events:
        kind = event.kind()
        if kind == "mark":  # another thread's begin
            inside.clear()
        if kind == "pop" and inside:
            inside.pop()
        if kind != "push":
            continue
        name = event.name()
        inside.append(name if _FRAMEWORK.fullmatch(name) else "")
        if inside[-1]:
            names = "/".join([one for one in inside if one][-DEEPEST:])
            found[names] = max(found.get(names, 0), *map(math.prod, event.shapes()), 0)
    return [[names, size] for names, size in found.items()]
