"""HTML manuals, with the standard library's parser: it forgives what browsers forgive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from kernelopt.retrieval.ingest import CODE, HEADING, TEXT, Advance, Block
from kernelopt.retrieval.ingest.text import decode

_SKIPPED = {
    "script",
    "style",
    "nav",
    "footer",
    "aside",
    "noscript",
    "template",
    "svg",
    "head",
    "button",
    "form",
}
_ENDING = {
    *("p", "div", "section", "article", "main", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr"),
    *("blockquote", "figure", "figcaption", "header", "hr", "body"),
}
_CELLS = {"td", "th"}
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_PERMALINK = re.compile(r"\s*[¶#\uf0c1]+\s*$")


def read(path: Path, advance: Advance = lambda done, of: None) -> Iterator[Block]:
    """Blocks of an HTML file; navigation, scripts and forms are left out."""
    return blocks(decode(path), advance)


def blocks(text: str, advance: Advance = lambda done, of: None) -> Iterator[Block]:
    """Blocks of an HTML text."""
    reader = _Reader()
    size = 1 << 16
    for start in range(0, len(text), size):
        advance(start, len(text))
        reader.feed(text[start : start + size])
        yield from reader.take()
    reader.close()
    reader.end_block()
    yield from reader.take()
    advance(len(text), len(text))


class _Reader(HTMLParser):
    """Gathers text until a tag ends the block that it is in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[Block] = []
        self._text: list[str] = []
        self._skip = ""
        self._depth = 0
        self._kind, self._level = TEXT, 0

    def take(self) -> list[Block]:
        """What is complete, once."""
        found, self._found = self._found, []
        return found

    def end_block(self) -> None:
        """The text so far is a block."""
        text = "".join(self._text)
        self._text = []
        if self._kind == HEADING:
            text = _PERMALINK.sub("", " ".join(text.split()))
        if text.strip():
            self._found.append(Block(self._kind, text.strip("\n"), self._level))
        self._kind, self._level = TEXT, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that begins a block ends the one before."""
        if self._skip:
            self._depth += tag == self._skip
        elif tag in _SKIPPED:
            self.end_block()
            self._skip, self._depth = tag, 1
        elif tag in _HEADINGS:
            self.end_block()
            self._kind, self._level = HEADING, _HEADINGS[tag]
        elif tag == "pre":
            self.end_block()
            self._kind = CODE
        elif tag in _ENDING and self._kind == TEXT:
            self.end_block()
        elif tag in _CELLS and self._text:
            self._text.append(" | ")
        elif tag == "br":
            self._text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """The end of a block, or of what is skipped."""
        if self._skip:
            self._depth -= tag == self._skip
            self._skip = self._skip if self._depth else ""
        elif tag in _HEADINGS or tag == "pre" or (tag in _ENDING and self._kind == TEXT):
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        if not self._skip:
            self._text.append(data)
