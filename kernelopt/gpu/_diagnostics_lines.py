"""Compilers that print one line for each message: nvcc's and NVRTC's front end, g++, ptxas, nvlink, MLIR."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

SEVERITY = {
    "catastrophic error": "error",
    "fatal error": "error",
    "internal error": "error",
    "internal compiler error": "error",
    "fatal": "error",
    "error": "error",
    "warning": "warning",
    "remark": "note",
    "note": "note",
    "info": "note",
}
"""What tools call it, to what we call it."""

_KINDS = "|".join(sorted(SEVERITY, key=len, reverse=True))
_REST = rf"(?P<severity>{_KINDS})(?: (?P<code>#[\w-]+))?\s*: (?P<message>.*)"
# NVIDIA's front end: `k.cu(3): error: ...`, in older versions `"k.cu", line 3: error: ...`.
_FRONT_END = re.compile(rf"(?P<file>[^()\"]{{1,400}})\((?P<line>\d{{1,9}})\): {_REST}")
_FRONT_END_QUOTED = re.compile(rf'"(?P<file>[^"]{{1,400}})", line (?P<line>\d{{1,9}}): {_REST}')
_AT_END = re.compile(rf"At end of source: {_REST}")
# g++ for the host part and for the preprocessor, MLIR for Triton: `k.cu:1:10: fatal error: ...`.
_PLACED = re.compile(
    rf"(?P<file>[^\s:][^:]{{0,400}}):(?P<line>\d{{1,9}}):(?:(?P<column>\d{{1,9}}):)? {_REST}"
)
_MLIR = re.compile(
    rf'loc\((?:callsite\()?"(?P<file>[^"]{{1,400}})":(?P<line>\d{{1,9}}):(?P<column>\d{{1,9}}).{{0,400}}?\): '
    rf"{_REST}"
)
_PTX_LINE = re.compile(rf"(?P<program>ptxas)[\w-]* (?P<file>.{{1,400}}), line (?P<line>\d{{1,9}}); {_REST}")
_PROGRAM = re.compile(
    r"(?P<program>ptxas|nvlink|nvcc|cicc|cudafe\+\+|fatbinary|cc1plus|nvrtc|g\+\+|c\+\+|gcc)"
    rf"(?:-[\w.]+)?(?: |: ?){_REST}"
)
_LINKER = re.compile(
    r"(?:[^\n]{0,400}: )?(?P<message>(?:undefined reference to|multiple definition of|cannot find -l).*)"
)
_STOPPED = re.compile(r"(?P<message>the compiler was stopped after .*)")
_NAMELESS = re.compile(r"(?P<severity>error): (?P<message>.*)")
_FORMS = (_FRONT_END, _FRONT_END_QUOTED, _AT_END, _PTX_LINE, _PROGRAM, _PLACED, _MLIR, _NAMELESS)

_CARET = re.compile(r"\s*\^[\s~^]*")
_GUTTER = re.compile(r" {0,8}(?:\d{1,9})? *\|(?: |$)")
_PTX_CODE = re.compile(r"\((C\d{3,5})\) ")
_FROM_COMPILATION = re.compile(r'\d+ (?:catastrophic )?errors? detected in the compilation of "([^"]+)"')
_NOT_WORTH = re.compile(
    r"Ptx assembly aborted|The warnings can be suppressed|see current operation|compilation terminated"
    r"|ld returned|compile with '|Pipeline failed while executing|In file included from|^built-in operator"
)
_BLOCK_LINES = 40
"""Lines behind a message that may still belong to it."""
_FRONT_END_INDENT = 2
"""cudafe++ and NVRTC print the line of source behind two spaces."""


@dataclass
class Raw:
    """A message as printed, before its place is looked up."""

    program: str
    severity: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    code: str = ""
    excerpt: list[str] = field(default_factory=list)
    """Lines that the tool printed: source and caret."""
    notes: list[Raw] = field(default_factory=list)
    kernel: str = ""


def scan(lines: Sequence[str]) -> list[Raw]:
    """Every message, in order, notes with the message that they explain."""
    found: list[Raw] = []
    at = 0
    for at, raw in _messages(lines):
        block = _block(lines, at + 1)
        _add_block(raw, block, found)
        if raw.severity == "note" and found and raw.program != "ptxas":
            found[-1].notes.append(raw)
        else:
            found.append(raw)
    _name_file(found, lines)
    for raw in found:
        raw.notes = [note for note in raw.notes if not _NOT_WORTH.search(note.message)]
    return [raw for raw in found if not _NOT_WORTH.search(raw.message)] or found[:1]


def _messages(lines: Sequence[str]) -> Iterator[tuple[int, Raw]]:
    for i, line in enumerate(lines):
        raw = _message(line)
        if raw is not None:
            yield i, raw


def _message(line: str) -> Raw | None:
    """What a line says, or None. Most lines hold no ``: `` and cost little."""
    for form in _FORMS if ": " in line else ():
        if found := form.fullmatch(line):
            return _raw(found.groupdict())
    found = _LINKER.fullmatch(line) or _STOPPED.fullmatch(line)
    return Raw("", "error", found["message"]) if found else None


def _raw(parts: dict[str, str | None]) -> Raw | None:
    program, severity = parts.get("program") or "", SEVERITY[parts["severity"] or "error"]
    message, code = (parts["message"] or "").strip(), parts.get("code") or ""
    if found := _PTX_CODE.search(message):
        code, message = found[1], message.replace(found[0], "")
    if severity == "note" and program:
        # Figures of -v; only what is lost by something ignored is worth a word.
        if "Performance Loss" not in message:
            return None
        severity = "warning"
    if program == "nvlink":
        code = code or program
    line, column = int(parts.get("line") or 0), int(parts.get("column") or 0)
    return Raw(program, severity, message, (parts.get("file") or "").strip(), line, column, code)


def _block(lines: Sequence[str], start: int) -> list[str]:
    """The lines behind a message, up to an empty one or the next message."""
    block: list[str] = []
    for line in lines[start : start + _BLOCK_LINES]:
        if not line.strip() or line.startswith("Traceback (") or _message(line) is not None:
            break
        block.append(line)
    return block


def _add_block(raw: Raw, block: list[str], before: Sequence[Raw]) -> None:
    """Excerpt, caret, and further words of the message."""
    caret = next((i for i, line in enumerate(block) if _CARET.fullmatch(line) and i > 0), None)
    words: list[str] = []
    if any(_GUTTER.match(line) for line in block[:1]):
        raw.excerpt = [line for line in block if _GUTTER.match(line)][:6]
    elif caret is not None:
        words, raw.excerpt = block[: caret - 1], block[caret - 1 : caret + 1]
        _place_caret(raw)
        words += block[caret + 1 :]
    else:
        words = [line for line in block if line.startswith("    ")]
    owner = before[-1] if raw.severity == "note" and before else raw
    owner.message += "".join(f"; {_squeezed(line)}" for line in words if line.startswith("      "))


def _place_caret(raw: Raw) -> None:
    """The column; the front end's own indent is taken off, MLIR has none and gives the column itself."""
    if raw.column:
        return
    source, caret = raw.excerpt
    if source.startswith(" " * _FRONT_END_INDENT):
        raw.excerpt = [source[_FRONT_END_INDENT:], caret[_FRONT_END_INDENT:]]
    raw.column = raw.excerpt[1].find("^") + 1


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def _name_file(found: Sequence[Raw], lines: Sequence[str]) -> None:
    """Messages about the end of a file do not name it, the summary does."""
    names = [match[1] for line in lines if (match := _FROM_COMPILATION.match(line))]
    for raw in found:
        if not raw.file and not raw.program and names:
            raw.file = names[0]
