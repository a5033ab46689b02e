"""Triton: its own errors, placed relative to a function, and what Python raised while tracing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kernelopt.gpu._diagnostics_lines import Raw
from kernelopt.gpu._diagnostics_places import NOWHERE, Place, Sources, base

_EXCEPTION = re.compile(
    r"(?P<type>[A-Za-z_][\w.]{0,120}(?:Error|Exception|Failure|Construct|OutOfResources|Interrupt|Exit))"
    r"(?:: (?P<message>.*))?"
)
_AT = re.compile(r"at (?P<line>\d{1,9}):(?P<column>\d{1,9}):")
_FRAME = re.compile(r'  File "(?P<file>[^"]{1,400})", line (?P<line>\d{1,9})(?:, in (?P<function>.*))?')
_LINK = re.compile(r"The above exception was the direct cause|During handling of the above exception")
_REPR = re.compile(r"(?P<type>[A-Za-z_]\w{0,80}(?:Error|Exception))\((?P<text>['\"].*['\"]),?\)")
_FUNCTION = re.compile(r"<function (\w{1,200})(?: at 0x[0-9a-f]{1,20})?>")
_SUMMARY = re.compile(r"PassManager::run failed|error encountered during parsing")
_CRASH = re.compile(
    r"^UNREACHABLE executed at|^LLVM ERROR: (?P<message>.*)|^.{0,400}: Assertion `.{1,400}' failed\."
)
_OWN_LIBRARIES = re.compile(r"<|.*/(?:site-packages|triton|lib/python[\d.]+)/")
_EXCERPT_LINES = 5
_MESSAGE_LINES = 4
_CHAINS = 20


@dataclass
class _Raised:
    """One exception of a chain."""

    type: str
    message: str
    frames: list[Place] = field(default_factory=list)
    """Places of all its frames, the innermost last."""
    at: tuple[int, int] | None = None
    """Line and column within the function, as Triton gives them."""
    excerpt: list[str] = field(default_factory=list)
    """Source as Triton prints it, the last line being the one at fault; then the caret."""


def scan(lines: Sequence[str], sources: Sources, explained: bool) -> list[Raw]:
    """One message for each chain of exceptions: its cause, with the places it was called from as notes.

    `explained`: the same log holds an error of MLIR or ptxas, which an exception only sums up.
    """
    chains = [chain for chain in _chains(lines) if not (explained and _sums_up(chain))]
    return [*_crashes(lines), *(_told(chain, sources) for chain in chains[:_CHAINS])]


def _sums_up(chain: Sequence[_Raised]) -> bool:
    return any(raised.type == "PTXASError" or _SUMMARY.search(raised.message) for raised in chain)


def _crashes(lines: Sequence[str]) -> list[Raw]:
    """LLVM ends the process where it does not go on; it says why at most in the line before."""
    for i, line in enumerate(lines):
        if found := _CRASH.search(line):
            before = lines[i - 1].strip() if i and line.startswith("UNREACHABLE") else ""
            return [Raw("", "error", before or found["message"] or line.strip(), code="LLVM")]
    return []


def _chains(lines: Sequence[str]) -> Iterator[list[_Raised]]:
    chain: list[_Raised] = []
    frames: list[Place] = []
    linked, i = False, 0
    while i < len(lines):
        frame, exception = _FRAME.fullmatch(lines[i]), _EXCEPTION.fullmatch(lines[i])
        if frame:
            frames.append((frame["file"], int(frame["line"])))
        elif _LINK.match(lines[i]):
            linked = True
        elif exception:
            raised, i = _read(exception, lines, i)
            raised.frames, frames = frames, []
            if chain and not linked:
                yield chain
                chain = []
            chain.append(raised)
            linked = False
        i += 1
    if chain:
        yield chain


def _read(exception: re.Match[str], lines: Sequence[str], i: int) -> tuple[_Raised, int]:
    """An exception with the lines that belong to it, and the index of the last of them."""
    name, message = exception["type"].rpartition(".")[2], (exception["message"] or "").strip()
    raised = _Raised(name, message)
    place = _AT.fullmatch(message)
    if place:
        raised.at, raised.message = (int(place["line"]), int(place["column"])), ""
        i = _read_excerpt(raised, lines, i)
    words = [] if place else [message]
    for line in lines[i + 1 : i + 1 + _MESSAGE_LINES]:
        if not line.strip() or line.startswith("Traceback (") or _FRAME.match(line):
            break
        words.append(line.strip())
        i += 1
    raised.message = " ".join(words).strip()
    return raised, i


def _read_excerpt(raised: _Raised, lines: Sequence[str], i: int) -> int:
    """Take the lines up to the caret of the column; none where there is no such caret."""
    line, column = raised.at or (0, 0)
    caret = " " * min(column, 10_000) + "^"
    for end in range(i + 1, min(i + 14, len(lines), i + line + 2)):
        if lines[end].rstrip() == caret:
            raised.excerpt = list(lines[i + 1 : end + 1])
            return end
    return i


def _told(chain: Sequence[_Raised], sources: Sources) -> Raw:
    places = [_place(raised, sources) for raised in chain]
    cause = _cause(chain, places)
    raised, place = chain[cause], places[cause]
    code, message = _unwrapped(raised.type, raised.message or _message_of(chain))
    named = _FUNCTION.search(message)
    if named and place == NOWHERE:
        place = sources.definition(named[1])
    raw = Raw("", "error", _FUNCTION.sub(r"<function \1>", message), *place, code=code)
    if raised.at:
        raw.column = raised.at[1] + 1
        raw.excerpt = raised.excerpt[-_EXCERPT_LINES:]
        raw.kernel = next((sources.enclosing(p) for p in reversed(places) if p != NOWHERE), "")
    for outer, where in list(zip(chain, places, strict=True))[cause + 1 :]:
        if outer.at and not outer.message and where != NOWHERE:
            raw.notes.append(Raw("", "note", "called from here", *where, outer.at[1] + 1))
            raw.notes[-1].excerpt = outer.excerpt[-2:]
    return raw


def _cause(chain: Sequence[_Raised], places: Sequence[Place]) -> int:
    """The first that has a place of Triton's, else the first with a place in the sources, else the first."""
    for wanted in ([raised.at is not None for raised in chain], [place != NOWHERE for place in places]):
        if any(wanted):
            return wanted.index(True)
    return 0


def _message_of(chain: Sequence[_Raised]) -> str:
    return next((raised.message for raised in chain if raised.message), chain[0].type)


def _place(raised: _Raised, sources: Sources) -> Place:
    if raised.excerpt:
        return sources.find(raised.excerpt[:-1])
    for file, line in reversed(raised.frames):
        if sources.text((base(file), line)) is not None and not _OWN_LIBRARIES.match(file):
            return base(file), line
    return NOWHERE


def _unwrapped(kind: str, message: str) -> tuple[str, str]:
    """``NameError('x')`` inside of another exception is a NameError that says x."""
    found = _REPR.fullmatch(message)
    if not found:
        return kind, message
    try:
        return found["type"], str(ast.literal_eval(found["text"]))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return found["type"], found["text"][1:-1]
