"""Error patterns of notes: thousands of regular expressions, of which few are ever compiled.

Compiling one takes 0.2 ms, so that those of a few hundred notes would take longer than all else. Nearly every
pattern demands a word or two verbatim; where the query does not hold them, it cannot match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_SHORTEST = 3
_QUANTIFIERS = ("?", "*", "+", "{")
_META = set(".^$[]()|?*+{}\\")


class Hit(NamedTuple):
    """A note whose pattern matched."""

    start: int
    negative_length: int
    note: int
    """Number of the note; hits sort by place, then the longer first."""


def find(patterns: Sequence[tuple[int, str]], query: str) -> tuple[list[int], str]:
    """Notes with a matching pattern, and the query without the text that they answer.

    Args:
        patterns: (number of the note, regular expression), case ignored.
        query: what was asked.

    The earliest match comes first (queries tell causes before consequences), the longer of two at one place
    first. What is left goes to the word search, so that the many words of a message do not drown the few that
    name an operator; where nothing is left, all of it goes.
    """
    hits: dict[int, Hit] = {}
    rest, lower = query, query.lower()
    for number, pattern in patterns:
        if not any(all(word in lower for word in words) for words in demands(pattern)):
            continue
        match = _compiled(pattern).search(query)
        if match and match[0]:
            hit = Hit(match.start(), match.start() - match.end(), number)
            hits[number] = min(hit, hits.get(number, hit))
            rest = rest[: match.start()] + " " * len(match[0]) + rest[match.end() :]
    return [hit.note for hit in sorted(hits.values())], rest if rest.strip() else query


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


@lru_cache(maxsize=8192)
def demands(pattern: str) -> tuple[tuple[str, ...], ...]:
    """For each alternative at the top of a pattern the words that it must find verbatim, in lower case.

    Only what lies outside of groups and classes and is not optional counts, so that an alternative may
    demand less than it could, never more. A pattern with flags demands nothing.
    """
    if pattern.startswith("(?"):
        return ((),)
    found: list[tuple[str, ...]] = []
    words: list[str] = []
    word, i = "", 0
    while i < len(pattern):
        kind, size = _item(pattern, i)
        if kind and pattern[i + size : i + size + 1] not in _QUANTIFIERS:
            word += kind
        else:
            words.append(word)
            word = ""
        if pattern[i] == "|":
            found.append(_long(words))
            words = []
        i += size
    return (*found, _long([*words, word]))


def _long(words: Sequence[str]) -> tuple[str, ...]:
    # Letters whose lower case depends on their neighbours or has another length are left to the expression.
    return tuple(w.lower() for w in words if len(w) >= _SHORTEST and w.isascii())


def _item(pattern: str, i: int) -> tuple[str, int]:
    """The literal character that begins at `i`, ``""`` for anything else, and how long the item is."""
    here = pattern[i]
    if here == "\\":
        escaped = pattern[i + 1 : i + 2]
        return ("" if escaped.isalnum() or not escaped else escaped), 2
    if here == "[":
        return "", _class(pattern, i)
    if here == "(":
        return "", _group(pattern, i)
    if here == "{":
        return "", pattern.find("}", i) - i + 1 or 1
    return ("" if here in _META else here), 1


def _class(pattern: str, start: int) -> int:
    """Length of the character class at `start`; its first character may be a bracket."""
    i = start + 1 + (pattern[start + 1 : start + 2] == "^")
    i += pattern[i : i + 1] == "]"
    while i < len(pattern) and pattern[i] != "]":
        i += 2 if pattern[i] == "\\" else 1
    return i + 1 - start


def _group(pattern: str, start: int) -> int:
    """Length of the group at `start`, with all within."""
    i = start + 1
    while i < len(pattern) and pattern[i] != ")":
        i += _item(pattern, i)[1]
    return i + 1 - start
