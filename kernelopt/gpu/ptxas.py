"""What ``ptxas -v`` prints of each kernel, as numbers: by nvcc, by NVRTC, or by ptxas itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_LINE_CHARACTERS = 4000
_ENTRY = re.compile(r"ptxas info {0,8}: Compiling entry function '([^']+)' for '(\w+)'\s*")
_PROPERTIES = re.compile(r"ptxas info {0,8}: Function properties for (?:'([^']+)'|(\S+))\s*")
_MEMORY = re.compile(
    r"(?:ptxas)?[\s.]*(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads\s*"
)
_USED = re.compile(r"ptxas info {0,8}: Used (?P<registers>\d+) registers(?P<rest>.*)")
_BARRIERS = re.compile(r"used (\d+) barriers")
_SHARED = re.compile(r"\b(\d+(?:\+\d+)*) bytes smem")
_CONSTANT = re.compile(r"\b(\d+(?:\+\d+)*) bytes cmem\[\d+\]")


@dataclass(frozen=True, slots=True)
class Usage:
    """What one entry point needs."""

    mangled: str
    """Its name in the machine code."""
    arch: str
    """For example ``sm_90a``."""
    registers: int = 0
    """Of a thread."""
    spill_store_bytes: int = 0
    spill_load_bytes: int = 0
    stack_bytes: int = 0
    """Stack frame of a thread, in local memory."""
    shared_bytes: int = 0
    """Static shared memory of a block."""
    constant_bytes: int = 0
    """Of all banks together; from CUDA 13 on ptxas tells none."""
    barriers: int = 0


def parse(log: str) -> tuple[Usage, ...]:
    """Every entry point of a log, in order. Never raises, whatever the text.

    Entries without a count of registers were not finished and are left out. Of two accounts of one name
    the later holds: the assembler speaks after the front end, which may quote anything.
    """
    found: dict[str, Usage] = {}
    for usage in _entries(log):
        found.pop(usage.mangled, None)
        if usage.registers:
            found[usage.mangled] = usage
    return tuple(found.values())


def _entries(log: str) -> Iterator[Usage]:
    entry: Usage | None = None
    about = ""  # the function whose stack is told next: an entry, or one that is called
    for whole in log.splitlines():
        line = whole[:_LINE_CHARACTERS]
        if started := _ENTRY.fullmatch(line):
            if entry:
                yield entry
            entry, about = Usage(started[1], started[2]), started[1]
        elif named := _PROPERTIES.fullmatch(line):
            about = named[1] or named[2]
        elif entry and about == entry.mangled and (memory := _MEMORY.fullmatch(line)):
            stack, stores, loads = map(int, memory.group("stack", "stores", "loads"))
            entry = replace(entry, stack_bytes=stack, spill_store_bytes=stores, spill_load_bytes=loads)
        elif entry and (used := _USED.match(line)):
            entry = _with_use(entry, int(used["registers"]), used["rest"])
    if entry:
        yield entry


def _with_use(entry: Usage, registers: int, rest: str) -> Usage:
    return replace(
        entry,
        registers=registers,
        barriers=_total(_BARRIERS, rest),
        shared_bytes=_total(_SHARED, rest),
        constant_bytes=_total(_CONSTANT, rest),
    )


def _total(pattern: re.Pattern[str], text: str) -> int:
    """Sum of all that was found; ``24+16`` is two parts of one thing."""
    return sum(int(part) for found in pattern.findall(text) for part in found.split("+"))
