"""Blocks → sections: short enough for an excerpt, each with the path of its headings and its page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kernelopt.retrieval.ingest import CODE, HEADING, Block

LONGEST = 1600
"""Characters of a section. An excerpt shows 1,200; BM25 ranks sections of one length best."""
SHORTEST = 160
"""A section with less is joined to the next, if that lies below it or is as short."""
_LONGEST_HEADING = 120


@dataclass(frozen=True, slots=True)
class Section:
    """A few paragraphs under one heading."""

    path: tuple[str, ...]
    """Headings from the chapter down."""
    text: str
    """Markdown."""
    page: int | None
    """Where it begins, counted from 1."""


@dataclass(slots=True)
class _Open:
    """A section that is being filled."""

    path: tuple[str, ...]
    page: int | None = None
    parts: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(len(part) + 2 for part in self.parts)

    def section(self) -> Section:
        return Section(self.path, "\n\n".join(self.parts), self.page)


def divide(blocks: Iterable[Block]) -> list[Section]:
    """Sections of a document, in order; a heading begins one, and so does a paragraph that finds no room."""
    joined: list[Section] = []
    for section in _divided(blocks):
        before = joined[-1] if joined else None
        if before and _belong_together(before, section):
            joined[-1] = _join(before, section)
        else:
            joined.append(section)
    return joined


def _divided(blocks: Iterable[Block]) -> Iterator[Section]:
    path: tuple[str, ...] = ()
    now = _Open(path)
    for block in blocks:
        if block.kind == HEADING:
            yield from [now.section()] if now.parts else []
            path = (*path[: max(block.level - 1, 0)], _heading(block.text))
            now = _Open(path)
            continue
        for part in _parts(block):
            if now.parts and now.size + len(part) > LONGEST:
                yield now.section()
                now = _Open(path)
            now.page = now.page or block.page
            now.parts.append(part)
    yield from [now.section()] if now.parts else []


def _belong_together(before: Section, after: Section) -> bool:
    """An opening sentence and what follows it, or sister sections that are both too short to stand alone."""
    if len(before.text) + len(after.text) >= LONGEST:
        return False
    short = [len(section.text) < SHORTEST for section in (before, after)]
    opening = short[0] and after.path[: len(before.path)] == before.path
    return opening or (all(short) and before.path[:-1] == after.path[:-1])


def _join(before: Section, after: Section) -> Section:
    if after.path[: len(before.path)] == before.path:
        return Section(after.path, f"{before.text}\n\n{after.text}", before.page)
    headed = f"{before.text}\n\n**{after.path[-1]}** {after.text}"
    return Section(before.path, headed, before.page)


def _heading(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_HEADING else flat[: _LONGEST_HEADING - 1] + "…"


def _parts(block: Block) -> Iterator[str]:
    """The block in pieces that fit into a section: sentences of a long paragraph, lines of long code."""
    if block.kind == CODE:
        for piece in _gather(block.text.rstrip().split("\n"), "\n", LONGEST - 20):
            ticks = "````" if "```" in piece else "```"
            yield f"{ticks}\n{piece}\n{ticks}"
        return
    flat = " ".join(block.text.split())
    if flat:
        yield from _gather(re.split(r"(?<=[.!?]) +", flat), " ", LONGEST)


def _gather(pieces: Iterable[str], joint: str, limit: int) -> Iterator[str]:
    """Pieces joined as long as they fit; one that is too long by itself is cut."""
    kept = ""
    for whole in pieces:
        for piece in [whole[i : i + limit] for i in range(0, len(whole), limit)] or [""]:
            if kept and len(kept) + len(joint) + len(piece) > limit:
                yield kept
                kept = piece
            else:
                kept = f"{kept}{joint}{piece}" if kept else piece
    if kept.strip():
        yield kept
