"""What a kernel's text tells the compiler of its loops: AIE_LOOP_*, clang loop pragmas and chess_* notes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MINIMUM = re.compile(
    r"\b(?:AIE_LOOP_(?:MIN_ITERATION_COUNT|RANGE)|chess_loop_range)\s*\(\s*(\d+)|min_iteration_count\s*\(\s*(\d+)"
)
_UNROLL = re.compile(
    r"\b(?:AIE_LOOP_UNROLL|chess_unroll_loop|unroll_count)\s*\(\s*(\d+)|#\s*pragma\s+(?:GCC\s+|clang\s+loop\s+)?unroll\s*\(?\s*(\d+)"
)
_FULL = re.compile(
    r"AIE_LOOP_UNROLL_FULL|AIE_LOOP_FLATTEN|chess_flatten_loop|chess_unroll_loop\s*\(\s*\)|#\s*pragma\s+(?:clang\s+loop\s+)?unroll(?:\(full\))?\s*$"
)
_NONE = re.compile(r"AIE_LOOP_NO_UNROLL|unroll\s*\(disable\)|#\s*pragma\s+nounroll")
_PREPARE = re.compile(
    r"\b(?:AIE_PREPARE_FOR_PIPELINING|chess_prepare_for_pipelining|AIE_TRY_INITIATION_INTERVAL)\b"
)
_LOOP = re.compile(r"\b(?:for|while|do)\b")
_RESTRICT = re.compile(r"\b(?:__restrict__|__restrict|restrict)\s+\w+\s*=\s*(?:\([^()]*\)\s*)?(\w+)\s*[;,+]")
REACH = 4
"""Lines between a hint and its loop; chess notes stand behind the head, on the same line or the next."""


@dataclass(slots=True)
class Hint:
    """What is said of the loop that starts in one line."""

    minimum: int = 0
    """Least number of iterations, 0 for nothing said."""
    unroll: int = 0
    """Times to unroll, 0 for nothing said, 1 for not."""
    full: bool = False
    prepare: bool = False
    """Pipelining is asked for."""


def read(source: str) -> dict[int, Hint]:
    """Line of a loop's head to what is said of it."""
    lines = source.splitlines()
    heads = [number for number, line in enumerate(lines, 1) if _LOOP.search(_code(line))]
    found: dict[int, Hint] = {}
    for number, line in enumerate(lines, 1):
        text = _code(line)
        if text.lstrip().startswith("#define"):
            continue
        hint = _said(text)
        head = _head(heads, number, behind="chess_" in text)
        if hint is not None and head is not None:
            earlier = found.setdefault(head, Hint())
            earlier.minimum = max(earlier.minimum, hint.minimum)
            earlier.unroll = max(earlier.unroll, hint.unroll)
            earlier.full |= hint.full
            earlier.prepare |= hint.prepare
    return found


def restricted(source: str) -> set[str]:
    """Names that a local restrict pointer starts from: ``int8_t *__restrict p = in;`` makes ``in`` one.

    The compiler's copy propagation forgets such pointers where they are not moved on.
    """
    return {name for line in source.splitlines() for name in _RESTRICT.findall(_code(line))}


def _code(line: str) -> str:
    return line.split("//", maxsplit=1)[0]


def _said(text: str) -> Hint | None:
    minimum, unroll = _MINIMUM.search(text), _UNROLL.search(text)
    full, none = _FULL.search(text.rstrip()), _NONE.search(text)
    prepare = bool(_PREPARE.search(text))
    if not (minimum or unroll or full or none or prepare):
        return None
    factor = 1 if none else int(unroll[1] or unroll[2]) if unroll else 0
    return Hint(int(minimum[1] or minimum[2]) if minimum else 0, factor, bool(full), prepare)


def _head(heads: list[int], number: int, behind: bool) -> int | None:
    if behind:
        return max((head for head in heads if number - REACH <= head <= number), default=None)
    return min((head for head in heads if number <= head <= number + REACH), default=None)
