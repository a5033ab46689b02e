"""A query → the terms that tell something. Logs are full of what does not: paths, numbers, carets."""

from __future__ import annotations

import re

from kernelopt.retrieval.meanings import WEIGHT, meanings
from kernelopt.retrieval.tokens import tokenize

_NOISE = re.compile(
    r"""
      (?<![\w.])\.{0,2}/(?:[\w.+-]+/)*(?=[\w.+-]) # folders of a path
    | \b[\w-]+\.(?:cpp|cu|cuh|cc|ptx|py|so|o|hpp|ll|s)\b(?:[:(]\d+\)?)*   # files with their lines
    | \b0x[0-9a-f]+\b                   # addresses
    | \bline\s+\d+
    | ^[\s|^~-]+$                       # carets
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"\d+[a-z]?|[a-z]")
_EMPTY = frozenset(
    tokenize("output outputs reference element elements wrong only same input inputs error errors different")
)
"""What findings and messages of every kind say; it tells little."""
_EMPTY_WEIGHT = 0.3
_CHARACTERS, _MOST = 2500, 64
"""Characters and terms of one query. A message is shorter; of a whole log the beginning counts."""


def words_of(query: str, whole: str = "") -> dict[str, float]:
    """Terms with their weights: those of `query` (1), and what `whole` means in other words (less).

    Args:
        query: what is to be found; paths, line numbers and single letters of it are left out.
        whole: the query before patterns took their share; `query` unless given.
    """
    kept = (term for term in tokenize(_NOISE.sub(" ", query[:_CHARACTERS])) if not _NUMBER.fullmatch(term))
    weights = {term: _EMPTY_WEIGHT if term in _EMPTY else 1.0 for term in list(dict.fromkeys(kept))[:_MOST]}
    for term in tokenize(" ".join(meanings(whole or query))):
        weights.setdefault(term, WEIGHT)
    return weights
