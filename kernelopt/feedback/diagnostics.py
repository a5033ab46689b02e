"""What g++ and the linker printed, as data: first causes first, repetitions and noise folded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kernelopt.feedback.text import fenced, inline

_LOG_CHARACTERS = 200_000
_SEVERITIES = "fatal error|internal compiler error|error|warning|note|sorry, unimplemented"
_PLACED = re.compile(
    rf"(?P<file>[^\s:][^:]*):(?P<line>\d{{1,9}}):(?:(?P<column>\d{{1,9}}):)? "
    rf"(?P<severity>{_SEVERITIES}): (?P<message>.*)"
)
_TOOL = re.compile(
    r"(?P<tool>cc1plus|[\w./+-]*(?:g\+\+|gcc|c\+\+)(?:-\d+)?|as|lto1): "
    rf"(?P<severity>{_SEVERITIES}): (?P<message>.*)"
)
_LINKER = re.compile(
    r"(?:(?:[\w./+-]*/)?ld(?:\.\w+)?: )?(?:[^:\n]*\.(?:o|so|a): )?(?:in function [^:]*: ?)?"
    r"(?:(?P<file>[\w./+-]+\.\w+):)?(?:(?P<line>\d{1,9}):|\(\.[^)]*\):)? ?"
    r"(?P<message>(?:undefined reference to|multiple definition of|cannot find -l|undefined symbol:).*)"
)
_LOADER = re.compile(r".*\b(?P<message>undefined symbol: \S+).*")
_REQUIRED = re.compile(
    r"(?P<file>[^\s:][^:]*):(?P<line>\d{1,9}):(?:\d{1,9}:)?\s+(?:recursively )?required (?:from|by).*"
)
_GUTTER = re.compile(r"\s*\d* \|(?: |$)")
_USEFUL_NOTE = re.compile(
    r"did you mean|suggested alternative|defined in header|declared here|no known conversion|"
    r"candidate expects|deduced conflicting|forget to|too (?:few|many) arguments"
)
_EXCERPT_LINES = 6
_EXCERPT_WIDTH = 120
_NOTES_EACH = 2


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of the compiler or linker."""

    file: str
    """File name as printed; ``""`` where the message is about no file."""
    line: int
    """From 1; 0 when not given."""
    column: int
    severity: str
    """``fatal error``, ``error``, ``warning``, ``note`` ..."""
    message: str
    excerpt: str = ""
    """The lines that g++ printed below: source, caret, suggested replacement."""
    required: str = ""
    """``file:line`` of the code that instantiated the template at fault."""

    @property
    def is_error(self) -> bool:
        """True for what made the build fail."""
        return self.severity not in ("warning", "note")

    @property
    def place(self) -> str:
        """``file:line:column`` as far as known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


def parse_gcc(log: str) -> list[Diagnostic]:
    """Every diagnostic of g++, the assembler or the linker in `log`, in order. Never raises."""
    found: list[Diagnostic] = []
    required = ""
    for line in log[:_LOG_CHARACTERS].splitlines():
        where = _REQUIRED.fullmatch(line)
        diagnostic = _diagnostic(line)
        if where:
            required = f"{where['file']}:{where['line']}"
        elif diagnostic:
            found.append(replace(diagnostic, required=required if diagnostic.is_error else ""))
            required = "" if diagnostic.is_error else required
        elif found and _GUTTER.match(line):
            found[-1] = _with_excerpt(found[-1], line)
    return found


def _diagnostic(line: str) -> Diagnostic | None:
    placed = _PLACED.fullmatch(line)
    if placed:
        column = int(placed["column"] or 0)
        return Diagnostic(placed["file"], int(placed["line"]), column, placed["severity"], placed["message"])
    tool = _TOOL.fullmatch(line)
    if tool:
        return Diagnostic("", 0, 0, tool["severity"], tool["message"])
    linker = _LINKER.fullmatch(line)
    if linker:
        return Diagnostic(linker["file"] or "", int(linker["line"] or 0), 0, "error", linker["message"])
    loader = _LOADER.fullmatch(line)
    return Diagnostic("", 0, 0, "error", loader["message"]) if loader else None


def _with_excerpt(diagnostic: Diagnostic, line: str) -> Diagnostic:
    lines = diagnostic.excerpt.split("\n") if diagnostic.excerpt else []
    if len(lines) >= _EXCERPT_LINES:
        return diagnostic
    return replace(diagnostic, excerpt="\n".join([*lines, line]))


@dataclass(frozen=True, slots=True)
class Problem:
    """An error with what belongs to it."""

    error: Diagnostic
    notes: tuple[Diagnostic, ...]
    """Notes that help to mend it."""
    also_at: tuple[int, ...]
    """Further lines with the same error."""


def problems(diagnostics: Sequence[Diagnostic]) -> list[Problem]:
    """Errors in the order of cause and consequence, each once, with the notes that help.

    A fatal error (a missing header) stops the compiler and so comes first; the linker's summary and
    errors that only repeat another come not at all.
    """
    grouped: dict[str, Problem] = {}
    key = ""
    for diagnostic in diagnostics:
        if diagnostic.is_error:
            key = diagnostic.message
            known = grouped.get(key)
            if known is None:
                grouped[key] = Problem(diagnostic, (), ())
            elif diagnostic.line not in (known.error.line, *known.also_at):
                grouped[key] = replace(known, also_at=(*known.also_at, diagnostic.line))
        elif diagnostic.severity == "warning":
            key = ""
        elif key and _USEFUL_NOTE.search(diagnostic.message):
            known = grouped[key]
            if len(known.notes) < _NOTES_EACH and diagnostic.message not in [n.message for n in known.notes]:
                grouped[key] = replace(known, notes=(*known.notes, diagnostic))
    kept = [p for p in grouped.values() if not p.error.message.startswith("ld returned")]
    return sorted(kept or grouped.values(), key=lambda p: p.error.severity != "fatal error")


def render(found: Sequence[Problem], most: int = 6) -> list[str]:
    """Problems as Markdown lines: message, source with caret, notes."""
    lines: list[str] = []
    for problem in found[:most]:
        lines += _render(problem)
    if len(found) > most:
        lines.append(f"- and {len(found) - most} further errors, likely consequences")
    return lines


def _render(problem: Problem) -> Iterator[str]:
    error = problem.error
    # A template fails deep inside a header; the line to mend is the one that asked for it.
    place = inline(error.required or error.place, 120)
    inside = f" (in {inline(error.place, 80)})" if error.required else ""
    more = f" (also at lines {', '.join(map(str, problem.also_at[:5]))})" if problem.also_at else ""
    yield f"- {f'`{place}` ' if place else ''}{error.severity}: {folded(error.message)}{inside}{more}"
    if error.excerpt:
        yield from fenced(windowed(error.excerpt.split("\n")))
    for note in problem.notes:
        source = note.excerpt.split("\n")[0].partition("|")[2] if "declared here" in note.message else ""
        yield f"  - note: {folded(note.message)}" + (f": {inline(source, 120)}" if source else "")


def windowed(lines: Sequence[str]) -> list[str]:
    """Excerpt lines narrowed to the part around the caret."""
    caret = next((line.index("^") for line in lines if "^" in line), 0)
    if max(map(len, lines), default=0) <= _EXCERPT_WIDTH:
        return list(lines)
    gutter = lines[0].find("|") + 2
    start = max(gutter, caret - _EXCERPT_WIDTH // 2)
    return [(line[:gutter] + line[start : start + _EXCERPT_WIDTH - gutter]).rstrip() for line in lines]


def folded(message: str, limit: int = 300) -> str:
    """A message with long template arguments folded away."""
    message = re.sub(r"std::__cxx11::basic_string<char>", "std::string", inline(message, 4000))
    message = re.sub(r" ?\[with [^\]]{60,}\]", "", message)
    return inline(_fold_templates(message), limit)


def _fold_templates(message: str, longest: int = 40) -> str:
    """``<...>`` in place of template arguments that are long; unbalanced brackets are left alone."""
    starts: list[int] = []
    folds: list[tuple[int, int]] = []
    for i, character in enumerate(message):
        if (
            character == "<"
            and re.match(r"\w", message[i - 1 : i])
            and not message.endswith("operator", 0, i)
        ):
            starts.append(i)
        elif character == ">" and starts and message[i - 1] != "-":
            start = starts.pop()
            if i - start > longest:
                folds = [fold for fold in folds if fold[0] < start] + [(start, i)]
    for start, end in reversed(folds):
        message = f"{message[:start]}<...>{message[end + 1 :]}"
    return message
