"""Braces of C++ text without comments and strings: what a block holds, and what stands around a place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

_STRUCT = re.compile(r"\b(?:struct|class)\s+\w+[^;{}()=]{0,200}\{")
_MOST_STRUCTS = 50
_FARTHEST = 20_000
"""Characters that are read for the other end of a block."""
_BRACE = re.compile(r"[{}]")


def structs(code: str) -> str:
    """The bodies of all structs and classes."""
    return "\n".join(blocks(code, _STRUCT))


def blocks(code: str, head: re.Pattern[str]) -> Iterator[str]:
    """What is inside the braces that a pattern ends with."""
    return (_body(code, match.end()) for match in islice(head.finditer(code), _MOST_STRUCTS))


def headers(code: str, place: int) -> Iterator[tuple[int, str]]:
    """(opening brace, text before it) of every block that is open at a place, the innermost first."""
    closed = 0
    for at in reversed([each.start() for each in _BRACE.finditer(code, max(0, place - _FARTHEST), place)]):
        closed += 1 if code[at] == "}" else -1
        if closed < 0:
            closed = 0
            yield at, re.split(r"[;{}]", code[max(0, at - 400) : at])[-1]


def _body(code: str, start: int) -> str:
    """The text from behind an opening brace to the one that closes it."""
    depth = 1
    for brace in _BRACE.finditer(code, start, start + _FARTHEST):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return code[start : brace.start()]
    return code[start : start + _FARTHEST]
