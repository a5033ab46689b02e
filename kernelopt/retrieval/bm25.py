"""BM25 over the terms of sections, in a form that is mapped from disk rather than read.

`bm25s` weighs the terms once (Lucene's variant of BM25, k1 = 1.5, b = 0.75); what a query needs of it is kept
as four arrays. A term is known by a hash of 64 bits, so that no dictionary has to be read either.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST_POSTINGS = 200_000
"""Entries of the index that one query adds up, which takes about 1 ms. The rarest terms come first, so that
only words which nearly every section holds are left out, and those tell little."""


@dataclass(frozen=True, slots=True)
class Words:
    """What each term adds to the score of each section that holds it."""

    keys: Any
    """uint64 [terms], ascending: hashes of the terms."""
    starts: Any
    """int64 [terms + 1]: where the entries of a term begin."""
    places: Any
    """int32 [entries]: sections."""
    weights: Any
    """float32 [entries]."""
    sections: int

    @classmethod
    def build(cls, terms: Sequence[Sequence[str]]) -> Words:
        """Of the terms of each section."""
        import numpy as np

        if not any(terms):
            empty = (np.zeros(0, "u8"), np.zeros(1, "i8"), np.zeros(0, "i4"), np.zeros(0, "f4"))
            return cls(*empty, len(terms))
        from bm25s import BM25

        ranker = BM25()
        ranker.index([list(each) for each in terms], show_progress=False)
        by_number = sorted((n, term) for term, n in ranker.vocab_dict.items() if term)
        keys = np.array([_hash(term) for _, term in by_number], "u8")
        numbers = np.array([n for n, _ in by_number])
        order = np.argsort(keys, kind="stable")
        begin = np.asarray(ranker.scores["indptr"], "i8")
        sizes = (begin[1:] - begin[:-1])[numbers][order]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype("i8")
        # Entry by entry: where it was, in the order of the hashes.
        source = np.repeat(begin[numbers][order] - starts[:-1], sizes) + np.arange(int(starts[-1]))
        places = np.asarray(ranker.scores["indices"], "i4")[source]
        weights = np.asarray(ranker.scores["data"], "f4")[source]
        return cls(keys[order], starts, places, weights, len(terms))

    def scores(self, terms: Sequence[str], boosts: Sequence[float] | None = None) -> Any:
        """BM25 of every section, float32 [sections].

        Args:
            terms: each counts once.
            boosts: a factor for each term; 1 unless given.
        """
        import numpy as np

        total = np.zeros(self.sections, "f4")
        factors = boosts or [1.0] * len(terms)
        spans = sorted(
            zip(self._spans(terms), factors, strict=True), key=lambda each: each[0][1] - each[0][0]
        )
        room = MOST_POSTINGS
        for (first, last), factor in spans:
            room -= last - first
            if room < 0:
                break
            # A section stands once in a span, so that no addition is lost.
            total[self.places[first:last]] += self.weights[first:last] * np.float32(factor)
        return total

    def holding(self, terms: Sequence[str]) -> list[int]:
        """In how many sections each term stands."""
        return [last - first for first, last in self._spans(terms)]

    def _spans(self, terms: Sequence[str]) -> list[tuple[int, int]]:
        """Where the entries of each term lie; (0, 0) for a term that no section holds."""
        import numpy as np

        if not terms or not len(self.keys):
            return [(0, 0)] * len(terms)
        wanted = np.array([_hash(term) for term in terms], "u8")
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        known = self.keys[at] == wanted
        return [
            (int(self.starts[k]), int(self.starts[k + 1])) if there else (0, 0)
            for k, there in zip(at, known, strict=True)
        ]


def idf(holding: int, sections: int) -> float:
    """How much a term tells that stands in `holding` of `sections`: Lucene's form, as `bm25s` uses it."""
    return math.log(1.0 + (sections - holding + 0.5) / (holding + 0.5))


def _hash(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")
