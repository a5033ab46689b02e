"""PDF manuals through pypdf: its outline gives the headings, what repeats on every page is left out."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kernelopt.errors import ConfigError, MissingTool
from kernelopt.retrieval.ingest import CODE, HEADING, TEXT, Advance, Block
from kernelopt.retrieval.ingest.text import NUMBERED

_EDGE = 2
"""Lines at the top and bottom of a page that may be its running title or number."""
_REPEATED = 0.3
_FEWEST_PAGES = 4
_CODE_END = re.compile(r"[;{}]\s*$|^\s*#\s*(?:include|pragma|define)\b|^\s*//")
_FULL = 0.6
"""A line shorter than this part of the page's longest that ends a sentence ends its paragraph."""


def read(path: Path, advance: Advance = lambda done, of: None) -> Iterator[Block]:
    """Blocks of a PDF, each with its page.

    Raises:
        MissingTool: pypdf is not installed.
        ConfigError: the file is damaged, encrypted, or holds pictures of pages only.
    """
    pages, outline = _pages(path, advance)
    if not any(page.strip() for page in pages):
        raise ConfigError(f"{path}: no text in it (scanned pages?); run an OCR over it first")
    running = _running_lines(pages)
    for number, page in enumerate(pages, start=1):
        lines = [line for line in page.splitlines() if line.strip() and _bare(line) not in running]
        yield from _page_blocks(lines, number, outline.get(number, []), bool(outline))


def _pages(path: Path, advance: Advance) -> tuple[list[str], dict[int, list[tuple[str, int]]]]:
    """Text of each page, and for each page the headings (with their levels) that begin on it."""
    try:
        from pypdf import PdfReader
    except ImportError as problem:
        raise MissingTool(
            f"{path}: reading PDFs needs the package pypdf; install it with `pip install 'kernelopt[docs]'`"
        ) from problem
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # remarks on harmless faults of a file
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ConfigError(f"{path}: it is encrypted; remove its password first")
        texts = []
        for number, page in enumerate(reader.pages, start=1):
            texts.append(page.extract_text())
            advance(number, len(reader.pages))
        return texts, _outline(reader)
    except ConfigError:
        raise
    except OSError as problem:
        raise ConfigError(f"{path}: it cannot be read: {problem.strerror}") from problem
    except Exception as problem:  # pypdf meets a broken file with errors of every kind
        raise ConfigError(
            f"{path}: it is no readable PDF: {' '.join(str(problem).split())[:120]}"
        ) from problem


def _outline(reader: Any) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = {}

    def walk(entries: Sequence[Any], level: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, level + 1)
                continue
            page = reader.get_destination_page_number(entry)
            if page is not None and page >= 0 and entry.title:
                found.setdefault(page + 1, []).append((str(entry.title), level))

    walk(reader.outline, 1)
    return found


def _bare(line: str) -> str:
    """A line without its numbers, so that the footers of two pages are one."""
    return re.sub(r"\d+|[ivxl]+$", "", " ".join(line.split())).strip().lower()


def _running_lines(pages: Sequence[str]) -> set[str]:
    """Lines (bare) at the edge of many pages: running titles, page numbers, notices."""
    if len(pages) < _FEWEST_PAGES:
        return set()
    seen: Counter[str] = Counter()
    for page in pages:
        lines = [line for line in page.splitlines() if line.strip()]
        seen.update({_bare(line) for line in (*lines[:_EDGE], *lines[-_EDGE:])})
    return {line for line, count in seen.items() if count > max(_REPEATED * len(pages), 2)} | {""}


def _page_blocks(
    lines: Sequence[str], page: int, headings: Sequence[tuple[str, int]], outlined: bool
) -> Iterator[Block]:
    """Blocks of one page. A heading of the outline that is not found on its page stands at the top of it."""
    waiting = {_key(title): (title, level) for title, level in headings}
    places = {_key(line) for line in lines}
    for key in [key for key in waiting if key not in places]:
        title, level = waiting.pop(key)
        yield Block(HEADING, title, level, page)
    paragraph: list[str] = []
    widest = max(map(len, lines), default=0)
    for line in lines:
        heading = _heading(line, waiting, outlined)
        if heading:
            yield from _paragraph(paragraph, page)
            paragraph = []
            yield Block(HEADING, *heading, page)
            continue
        if paragraph and bool(_CODE_END.search(line)) != bool(_CODE_END.search(paragraph[-1])):
            yield from _paragraph(paragraph, page)
            paragraph = []
        paragraph.append(line)
        if line.rstrip().endswith((".", ":", "!", "?")) and len(line) < _FULL * widest:
            yield from _paragraph(paragraph, page)
            paragraph = []
    yield from _paragraph(paragraph, page)


def _key(title: str) -> str:
    """Letters of a heading without its number: outline and page often number differently."""
    return re.sub(
        r"[\W_]+", "", re.sub(r"^\s*(?:chapter\s+)?[\d.]+\s+", "", title, flags=re.IGNORECASE)
    ).lower()


def _heading(line: str, waiting: dict[str, tuple[str, int]], outlined: bool) -> tuple[str, int] | None:
    if outlined:
        return waiting.pop(_key(line), None)
    numbered = NUMBERED.match(line.strip())
    if numbered and not line.rstrip().endswith((".", ",", ";")) and "...." not in line:
        return line.strip(), numbered["number"].count(".") + 1
    return None


def _paragraph(lines: Sequence[str], page: int) -> Iterator[Block]:
    if not lines:
        return
    if len(lines) > 1 and all(_CODE_END.search(line) for line in lines):
        yield Block(CODE, "\n".join(lines), page=page)
    else:
        yield Block(TEXT, re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", "\n".join(lines)), page=page)
