"""A note's text within a budget of characters, cut where a sentence ends."""

from __future__ import annotations

import re

_FENCE = re.compile(r"(^```.*?^```[^\n]*$)", re.DOTALL | re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[\w)`\]'\"][.!?])(?=\s)")


def cut(text: str, most_characters: int) -> str:
    """As much of the beginning of `text` as fits, at most `most_characters`.

    Sentences and fenced code stay whole; a text whose first sentence is too long is cut between words
    and ends in ``…``.
    """
    kept = ""
    for piece in _pieces(text.strip()):
        if len((kept + piece).rstrip()) > most_characters:
            break
        kept += piece
    return kept.rstrip() or _cut_words(text.strip(), most_characters)


def _pieces(text: str) -> list[str]:
    """Sentences and code blocks; joined they give `text` again."""
    pieces: list[str] = []
    for part in _FENCE.split(text):
        pieces += [part] if part.startswith("```") else _SENTENCE_END.split(part)
    return pieces


def _cut_words(text: str, most_characters: int) -> str:
    """Words that fit, and an ellipsis; nothing at all when not even one fits."""
    if len(text) <= most_characters:
        return text
    words = text[: max(most_characters - 1, 0)].rsplit(maxsplit=1)
    return f"{words[0]} …" if len(words) > 1 and len(words[0]) + 2 <= most_characters else ""
