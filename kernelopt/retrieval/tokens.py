"""Text → tokens for the index: identifiers stay whole, and their parts are found too."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z0-9_]+(?:(?:::|\.|->)[A-Za-z0-9_]+)*")
_PIECE = re.compile(r"::|\.|->|_+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "that",
        "the",
        "this",
        "to",
        "was",
        "with",
    ]
)


def tokens(text: str) -> list[str]:
    """Lower-case tokens in order: ``aie::mac`` gives itself, ``aie`` and ``mac``.

    A plural's last ``s`` is dropped from plain words, so that ``loops`` finds ``loop``.
    """
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0].strip("_")
        parts = [part for piece in _PIECE.split(word) for part in _CAMEL.split(piece) if part]
        if len(parts) > 1:
            found.append(word.lower())
        found += [_stem(part.lower()) for part in parts]
    return [token for token in found if token and token not in _STOP]


def _stem(word: str) -> str:
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word
