"""A query → the terms that tell something. Logs are full of what does not: paths, numbers, carets."""

from __future__ import annotations

import re

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
_MOST = 64
"""Terms of one query. A message is shorter; of a whole log the beginning counts."""


def words_of(query: str) -> list[str]:
    """Terms of a query without paths, line numbers and single letters, each once, in their order."""
    kept = (term for term in tokenize(_NOISE.sub(" ", query)) if not _NUMBER.fullmatch(term))
    return list(dict.fromkeys(kept))[:_MOST]
