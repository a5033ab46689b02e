"""A manual's file → blocks: headings, paragraphs and code, in the order of reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

HEADING, TEXT, CODE = "heading", "text", "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a document."""

    kind: str
    """``heading``, ``text`` (a paragraph) or ``code`` (lines kept as they are)."""
    text: str
    level: int = 0
    """Of a heading: 1 for a chapter, 2 for what lies in it ..."""
    page: int | None = None


Advance = Callable[[int, int], None]
"""Hears how much of a file is read, in pages or lines, and how much there is."""
Reader = Callable[[Path, Advance], Iterable[Block]]
"""Raises `ConfigError` for a file that cannot be read."""
