"""Text → search terms: identifiers stay whole, and their parts are found too."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

VERSION: Final = 2
"""Part of the key of cached indexes: raise it when the terms of a text change."""

_WORD = re.compile(r"\w+(?:(?:::|->|\.|-)\w+)*", re.ASCII)
_JOINT = re.compile(r"::|->|[.-]")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+[a-z]?(?![a-z])|\d+")
_LONGEST = 80
"""Characters of a term; what is longer is no word (a digest, encoded data) and is left out."""
_SUFFIXES = ("ation", "ing", "ed", "ly", "es", "e", "s")
_SHORTEST_STEM = 4
_PAIR = 2
_COMMON = (
    "a an and are as at be but by can do for from has have in into is it its means not of on or so than that "
    "the their then there these this to was were what when where which while with"
)
_STOP = frozenset(_COMMON.split())


def tokenize(text: str) -> list[str]:
    """Search terms of `text` in their order, all in lower case.

    An identifier such as ``cp.async``, ``aie::mac`` or ``__shfl_down_sync`` gives itself, its components,
    and the parts that underscores, capitals and digits divide. ``layer_norm`` and ``LayerNorm`` also give
    ``layernorm``. Plain words are cut to their stem, so that ``vectorised`` finds ``vectorization``.
    """
    terms: list[str] = []
    for match in _WORD.finditer(text):
        if len(match[0]) <= _LONGEST:
            terms += _terms(match[0])
    return terms


@lru_cache(maxsize=1 << 16)
def _terms(word: str) -> tuple[str, ...]:
    components = _JOINT.split(word)
    found = [word.lower()] if len(components) > 1 else []
    if len(components) > _PAIR:  # cp.async.bulk is a cp.async, std::chrono::seconds a std::chrono
        found.append(_first_two(word))
    if "-" in word:  # fast-math, fastmath and fast math are one thing
        found.append("".join(components).lower())
    for component in components:
        found += _component(component) if component.lower() not in _STOP else []
    return tuple(term for term in dict.fromkeys(found) if term not in _STOP)


def _first_two(word: str) -> str:
    """The first two components of a name with their joint."""
    joints = list(_JOINT.finditer(word))
    return word[: joints[1].start()].lower()


def _component(name: str) -> list[str]:
    parts = _PART.findall(name)
    plain = len(parts) == 1 and parts[0] == name
    found = [] if plain else [name.lower(), "".join(parts).lower()]
    return [*filter(None, found), *(stem(part.lower()) for part in parts)]


def stem(word: str) -> str:
    """`word` without the usual English endings; British and American spellings fall together.

    At least four letters stay. The result is a key, not a word.
    """
    word = re.sub(r"is(e[ds]?|ing|ation)$", r"iz\1", word)
    shorter = True
    while shorter:
        shorter = False
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM and word[-2:] != "ss":
                word, shorter = word.removesuffix(suffix), True
                break
    return word
