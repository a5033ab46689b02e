"""Markdown and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kernelopt.errors import ConfigError
from kernelopt.retrieval.ingest import CODE, HEADING, TEXT, Advance, Block

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_ATX = re.compile(r" {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNDERLINE = re.compile(r"([=\-~^*#])\1{2,}\s*$")
NUMBERED = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+(?P<title>[A-Z][^\n]{2,90})$")
"""A heading of a manual: ``5.3.2. Device Memory Accesses``."""
_EVERY = 500


def read(path: Path, advance: Advance = lambda done, of: None) -> Iterator[Block]:
    """Blocks of a Markdown or text file. Raises ConfigError for a file that is no text."""
    return blocks(decode(path), advance, markdown=path.suffix.lower() in (".md", ".markdown"))


def decode(path: Path) -> str:
    """A file's text, UTF-8 or Latin-1. Raises ConfigError where it cannot be read or holds zero bytes."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ConfigError(
            f"{path}: it cannot be read: {(problem.strerror or 'unknown').lower()}"
        ) from problem
    if b"\0" in raw[:4096]:
        raise ConfigError(f"{path}: it is no text; give a PDF, HTML, Markdown or text file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def blocks(text: str, advance: Advance = lambda done, of: None, *, markdown: bool = True) -> Iterator[Block]:
    """Headings, paragraphs and fenced code of a text.

    Headings are lines with ``#`` (Markdown only), underlined lines, and in plain text numbered lines that
    stand alone.
    """
    lines = _FRONT_MATTER.sub("", text.replace("\r\n", "\n")).split("\n")
    paragraph: list[str] = []
    levels = ["=", "-"] if markdown else []
    i = 0
    while i < len(lines):
        if i % _EVERY == 0:
            advance(i, len(lines))
        line = lines[i]
        fence = _FENCE.match(line) if markdown else None
        heading = _heading(lines, i, markdown, levels, alone=not paragraph)
        if fence or heading or not line.strip():
            yield from _paragraph(paragraph)
            paragraph = []
        if fence:
            code, i = _fenced(lines, i, fence[1])
            yield Block(CODE, code)
        elif heading:
            yield heading
            i += 2 if _underlined(lines, i) else 1
        else:
            paragraph += [line] if line.strip() else []
            i += 1
    yield from _paragraph(paragraph)
    advance(len(lines), len(lines))


def _paragraph(lines: list[str]) -> Iterator[Block]:
    """A paragraph; code where every line of it is indented, as both Markdown and manuals in text have it."""
    if not lines:
        return
    if all(line.startswith(("    ", "\t")) for line in lines):
        yield Block(CODE, "\n".join(lines))
    else:
        yield Block(TEXT, "\n".join(lines))


def _heading(lines: list[str], i: int, markdown: bool, levels: list[str], *, alone: bool) -> Block | None:
    atx = _ATX.match(lines[i]) if markdown else None
    if atx:
        return Block(HEADING, atx[2], len(atx[1]))
    if alone and _underlined(lines, i):
        # The levels of underlined headings follow from the order in which their characters appear.
        mark = lines[i + 1].strip()[0]
        if mark not in levels:
            levels.append(mark)
        return Block(HEADING, lines[i].strip(), levels.index(mark) + 1)
    numbered = None if markdown else NUMBERED.match(lines[i].strip())
    if numbered and alone and (i + 1 == len(lines) or not lines[i + 1].strip()):
        return Block(HEADING, lines[i].strip(), numbered["number"].count(".") + 1)
    return None


def _underlined(lines: list[str], i: int) -> bool:
    if i + 1 >= len(lines) or not lines[i].strip() or _UNDERLINE.match(lines[i].strip()):
        return False
    line = _UNDERLINE.match(lines[i + 1].strip())
    return bool(line) and not lines[i].startswith((" ", "|", "-", ">"))


def _fenced(lines: list[str], start: int, ticks: str) -> tuple[str, int]:
    """The code behind an opening fence, and the number of the line behind its end."""
    end = start + 1
    while end < len(lines) and not lines[end].strip().startswith(ticks):
        end += 1
    return "\n".join(lines[start + 1 : end]), end + 1
