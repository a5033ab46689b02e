"""The manual index: error patterns first, then BM25, fused by reciprocal rank."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernelopt.resources import folder
from kernelopt.retrieval import Excerpt
from kernelopt.retrieval.notes import Note, read_notes
from kernelopt.retrieval.tokens import tokens

FUSION = 10.0
"""Constant of reciprocal rank fusion (Cormack et al. 2009 take 60, for rankings of thousands)."""
PATTERN_WEIGHT = 2.0
"""A matching error pattern says more than shared words do."""
EXCERPT_CHARS = 900
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n\n")


class Index:
    """Notes of all targets, searchable. Implements `kernelopt.retrieval.Retriever`."""

    def __init__(self, notes: Sequence[Note]):
        self._notes = list(notes)
        self._bm25 = _bm25([_searchable(note) for note in self._notes])

    def search(self, query: str, *, target: str, limit: int = 3) -> list[Excerpt]:
        """The best excerpts for `query` among notes for `target`, best first; none for no match."""
        scores: dict[int, float] = {}
        for weight, ranking in ((PATTERN_WEIGHT, self._by_pattern(query)), (1.0, self._by_words(query))):
            kept = [number for number in ranking if target in self._notes[number].targets]
            for rank, number in enumerate(kept, 1):
                scores[number] = scores.get(number, 0.0) + weight / (FUSION + rank)
        best = sorted(scores, key=lambda number: (-scores[number], self._notes[number].name))[:limit]
        return [_excerpt(self._notes[number], scores[number]) for number in best]

    def _by_pattern(self, query: str) -> list[int]:
        hits = [sum(bool(pattern.search(query)) for pattern in note.errors) for note in self._notes]
        return sorted(
            (n for n, count in enumerate(hits) if count), key=lambda n: (-hits[n], self._notes[n].name)
        )

    def _by_words(self, query: str) -> list[int]:
        words = tokens(query)
        if not words or not self._notes:
            return []
        scores = self._bm25.get_scores(words)
        return [int(n) for n in scores.argsort(kind="stable")[::-1] if scores[n] > 0]


@functools.lru_cache(maxsize=4)
def open_index(path: Path | None = None) -> Index:
    """The index over the notes that ship with kernelopt (or those in `path`), built once a process."""
    return Index(read_notes(path or folder("docs_index")))


def _searchable(note: Note) -> list[str]:
    # Title and tags count double: they are what a note is about.
    return tokens(" ".join([note.title, note.title, *note.tags, *note.tags, note.text]))


def _bm25(corpus: list[list[str]]) -> Any:
    import bm25s

    # With no note at all bm25s cannot build; one empty document matches nothing.
    index = bm25s.BM25()
    index.index(corpus or [["-"]], show_progress=False)
    return index


def _excerpt(note: Note, score: float) -> Excerpt:
    return Excerpt(title=note.title, text=shorten(note.text, EXCERPT_CHARS), source=note.source, score=score)


def shorten(text: str, limit: int) -> str:
    """`text` cut at the last sentence end within `limit` characters; code fences stay closed."""
    if len(text) <= limit:
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(text[: limit + 1])]
    kept = text[: ends[-1]].rstrip() if ends else text[:limit].rstrip()
    return kept + "\n```" if kept.count("```") % 2 else kept
