"""Loops of C++ text: where they are, how they nest, what they index. A reader, not a parser.

It understands the plain loops that kernels are made of. What it misreads only costs a note. The text
is a candidate's, so each step is linear in its length, and very long texts are not read at all.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CHARACTERS = 100_000
"""Longest text that is read; kernels are a tenth of it."""
LOOPS = 300
"""How many loops of a file are looked at."""
IN_A_ROW = 64
"""How many headers without braces may follow each other: nests of loops are less deep."""
INDEX_CHARACTERS = 200
"""How much of an index expression is looked at."""

_BLANKED = re.compile(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*+"?|\'(?:\\.|[^\'\\\n])++\'?', re.S)
_DIRECTIVE = re.compile(r"^[ \t]*+#(?:\\\n|[^\n])*+", re.M)
_LOOP = re.compile(r"\b(for|while)\s*+\(")
_FUNCTION = re.compile(r"\b(\w++)\s*+\(")
_BODY = re.compile(r"[\s\w]*+\{")
_VARIABLE = re.compile(r"(\w++)\s*+=[^=]")
_HEADER = re.compile(r"\s*+(?:(?:for|while|if|else\s++if|switch)\s*+\(|else\b)?+")
_STOP = re.compile(r"[;({\[}]")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_NOT_FUNCTIONS = {"for", "while", "if", "switch", "catch", "return", "sizeof", "defined"}


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop: offsets into the text, and what it runs over."""

    start: int
    """Offset of its keyword."""
    body: int
    """Offset just behind the closing parenthesis of its header."""
    end: int
    """Offset just behind its body."""
    line: int
    """Line of its keyword, from 1."""
    variable: str
    """Loop variable, or ``""``."""
    depth: int
    """How many loops are around it."""
    innermost: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A function definition: its parameters and the span of its body."""

    name: str
    parameters: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Code:
    """A C++ file, read."""

    name: str
    text: str
    """As it was written."""
    bare: str = ""
    """The same length, with comments, strings and directives blanked; empty when too long to read."""
    loops: tuple[Loop, ...] = ()
    functions: tuple[Function, ...] = ()
    closing: Mapping[int, int] = field(default_factory=dict, repr=False)
    """Offset of an opening bracket to the offset just behind the one that closes it."""
    lines: tuple[int, ...] = field(default=(), repr=False)
    """Offset of each line's first character."""

    def offset(self, line: int, column: int) -> int:
        """Offset of a line and column, both from 1; -1 when there is no such line."""
        return self.lines[line - 1] + column - 1 if 0 < line <= len(self.lines) else -1

    def source_line(self, line: int) -> str:
        """The text of a line, trimmed and shortened for a note."""
        start = self.offset(line, 1)
        text = " ".join(self.text[start : start + 1000].split("\n")[0].split()) if start >= 0 else ""
        return text if len(text) <= 90 else text[:87] + "..."

    def loop_around(self, offset: int) -> Loop | None:
        """The innermost loop whose header or body holds the offset."""
        around = [loop for loop in self.loops if loop.start <= offset < loop.end]
        return max(around, key=lambda loop: loop.start, default=None)

    def indexed(self, start: int, end: int) -> Iterator[tuple[str, str]]:
        """Array names with their index expressions between two offsets."""
        for match in re.compile(r"\b(\w++)\s*+\[").finditer(self.bare, start, end):
            stop = self.closing.get(match.end() - 1, end) - 1
            yield match[1], self.bare[match.end() : min(stop, match.end() + INDEX_CHARACTERS)]


def read(name: str, text: str) -> Code:
    """Find the loops and functions of one file."""
    if len(text) > CHARACTERS:
        return Code(name, text)
    bare = _DIRECTIVE.sub(_blank, _BLANKED.sub(_blank, text))
    closing = _closing(bare)
    headers = itertools.islice(_LOOP.finditer(bare), LOOPS)
    spans = [span for match in headers if (span := _span(bare, closing, match))]
    lines = (0, *(match.end() for match in re.finditer("\n", text)))
    loops = tuple(_loop(bare, span, spans, lines) for span in spans)
    return Code(name, text, bare, loops, tuple(_functions(bare, closing)), closing, lines)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _closing(bare: str) -> dict[int, int]:
    """Matching brackets; what is never closed ends with the text."""
    stacks: dict[str, list[int]] = {opening: [] for opening in _PAIRS.values()}
    closing: dict[int, int] = {}
    for match in re.finditer(r"[\[\](){}]", bare):
        if match[0] in stacks:
            stacks[match[0]].append(match.start())
        elif stacks[_PAIRS[match[0]]]:
            closing[stacks[_PAIRS[match[0]]].pop()] = match.end()
    return closing | {opening: len(bare) for stack in stacks.values() for opening in stack}


Span = tuple[int, int, int]


def _span(bare: str, closing: Mapping[int, int], match: re.Match[str]) -> Span | None:
    body = closing[match.end() - 1]
    end = _statement_end(bare, closing, body)
    # The condition of do ... while has no body of its own.
    empty = match[1] == "while" and bare[body:end].strip() == ";"
    return None if empty else (match.start(), body, end)


def _loop(bare: str, span: Span, spans: list[Span], lines: tuple[int, ...]) -> Loop:
    start, body, end = span
    variable = _VARIABLE.search(bare, start, body)
    return Loop(
        start=start,
        body=body,
        end=end,
        line=bisect.bisect_right(lines, start),
        variable=variable[1] if variable and bare.startswith("for", start) else "",
        depth=sum(s < start and end <= e for s, _, e in spans),
        innermost=not any(start < s < end for s, _, _ in spans),
    )


def _statement_end(bare: str, closing: Mapping[int, int], position: int) -> int:
    """Offset behind the statement that begins at or after `position`, through headers in a row."""
    for _ in range(IN_A_ROW):
        header = _HEADER.match(bare, position)
        position = header.end() if header else position
        if not header or not header[0].strip():
            break
        if header[0].endswith("("):
            position = closing[position - 1]
    else:
        return len(bare)
    if bare.startswith("{", position):
        return closing[position]
    while stop := _STOP.search(bare, position):
        if stop[0] in ";}":
            return stop.end()
        position = closing[stop.start()]
    return len(bare)


def _functions(bare: str, closing: Mapping[int, int]) -> Iterator[Function]:
    """Outermost definitions: a name, a parameter list, a body in braces."""
    position = 0
    while match := _FUNCTION.search(bare, position):
        position = match.end()
        if match[1] in _NOT_FUNCTIONS:
            continue
        after = closing[match.end() - 1]
        brace = _BODY.match(bare, after)
        if brace:
            position = closing[brace.end() - 1]
            yield Function(match[1], bare[match.end() : after - 1], brace.end() - 1, position)
