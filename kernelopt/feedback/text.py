"""Markdown under a budget: fences that cannot be broken out of, cuts at line ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTERS_A_TOKEN = 4
"""A token is taken for four characters; counting exactly would need each model's own tokenizer."""
_CUT = "..."
_SHORTEST = 40


def tokens(text: str) -> int:
    """Estimated number of tokens."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def inline(text: str, limit: int = 300) -> str:
    """Untrusted text as a stretch of one line: no line breaks, no control characters, not too long."""
    flat = " ".join(_printable(text).split())
    return flat if len(flat) <= limit else flat[: limit - len(_CUT)] + _CUT


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def fenced(lines: Sequence[str]) -> list[str]:
    """Untrusted lines in a code fence longer than any run of backticks in them."""
    clean = [_printable(part) for line in lines for part in (line.expandtabs().splitlines() or [""])]
    ticks = "```"
    while any(ticks in line for line in clean):
        ticks += "`"
    return [ticks, *clean, ticks]


def quoted(text: str) -> list[str]:
    """Any text as a Markdown quotation, where no line can pass for a heading or a fence of ours."""
    return [f"> {_printable(line)}".rstrip() for line in text.splitlines()]


def cut(lines: Sequence[str], characters: int) -> list[str]:
    """As many leading lines as fit, joined by line breaks; an open fence is closed, a cut is marked."""
    if sum(len(line) + 1 for line in lines) - 1 <= characters:
        return list(lines)
    kept: list[str] = []
    used, fence = 0, ""
    for line in lines:
        after = _fence_after(fence, line)
        closing = len(after) + 1 if after else 0
        if used + len(line) + 1 + closing + len(_CUT) > characters:
            break
        kept, used, fence = [*kept, line], used + len(line) + 1, after
    if kept and kept[-1] == fence:
        kept, fence = kept[:-1], ""
    if not kept:
        return _start_of(lines[0], characters)
    return [*kept, *([fence] if fence else []), _CUT]


def _start_of(line: str, characters: int) -> list[str]:
    """A line that is too long by itself, shortened; nothing where that would say nothing."""
    room = characters - len(_CUT)
    return [line[:room] + _CUT] if room >= _SHORTEST and not line.startswith("`") else []


def _fence_after(fence: str, line: str) -> str:
    """The fence that is open behind `line`, or ``""``."""
    if fence:
        return "" if line == fence else fence
    ticks = line[: len(line) - len(line.lstrip("`"))]
    return ticks if len(ticks) >= 3 else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A headed part of a text, and how much of the whole it may take while others need room."""

    heading: str
    lines: Sequence[str]
    share: float

    def text(self, characters: int) -> str:
        """The part in at most so many characters, or ``""``."""
        head = [f"### {self.heading}"] if self.heading else []
        body = cut(self.lines, characters - sum(len(line) + 1 for line in head))
        return "\n".join([*head, *body]) if body else ""

    @property
    def size(self) -> int:
        """Characters of the whole part."""
        return len(self.text(1 << 30))


def assemble(parts: Sequence[Part], token_budget: int) -> str:
    """Parts in order, within the budget. What one part leaves over goes to the first that needs it."""
    gap = "\n\n"
    parts = [part for part in parts if part.lines]
    room = max(token_budget * CHARACTERS_A_TOKEN - len(gap) * max(len(parts) - 1, 0), 0)
    sizes = [min(part.size, int(part.share * room)) for part in parts]
    texts: list[str] = []
    for i, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        left = room - sum(map(len, texts))
        texts.append(part.text(max(min(size, left), left - sum(sizes[i + 1 :]))))
    return gap.join(text for text in texts if text)
