"""Finds notes: those whose error patterns match come first, then those that share rare words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from kernelopt.retrieval import Excerpt, Retriever, cache
from kernelopt.retrieval.excerpts import cut
from kernelopt.retrieval.notes import Note, parse, read_texts
from kernelopt.retrieval.tokens import tokenize

EXCERPT_CHARACTERS = 1200
"""Most characters of one excerpt, about 300 tokens."""

_QUERY_CHARACTERS = 4000
_TITLE_WEIGHT, _TAG_WEIGHT = 3, 3
_RANK_OFFSET = 60
"""The constant of reciprocal rank fusion: how little the first ranks differ."""
_PATTERN_WEIGHT = 5.0
"""A match in the first 240 places outweighs every word: 5 / (60 + 240) > 1 / 61."""
_WORD_RANKS = 100


@lru_cache(maxsize=1)
def open_index() -> Retriever:
    """The index of the bundled notes, read from the cache or built once a process.

    Raises:
        ConfigError: a bundled note that does not keep its form (a broken installation).
    """
    return build_index()


def build_index(root: Path | None = None) -> Retriever:
    """The index of the notes under `root`. Raises ConfigError for a note that does not keep its form."""
    texts = read_texts(root)
    name = cache.key(texts)
    stored = cache.read(name)
    if stored:
        return Index(*stored)
    notes = [parse(*text) for text in texts]
    ranker = _ranker(notes)
    cache.write(name, notes, ranker)
    return Index(notes, ranker)


def _ranker(notes: Sequence[Note]) -> Any:
    """A BM25 index over the terms of each note; None of its progress bars is shown."""
    from bm25s import BM25

    ranker = BM25()
    # An index of nothing cannot be built; a term that no query holds makes it harmless.
    ranker.index([_note_terms(note) for note in notes] or [[" "]], show_progress=False)
    return ranker


def _note_terms(note: Note) -> list[str]:
    heading = tokenize(note.title) * _TITLE_WEIGHT + tokenize(" ".join(note.tags)) * _TAG_WEIGHT
    return heading + tokenize(note.text)


class Index:
    """Notes with their patterns and a BM25 ranking; a `Retriever`."""

    def __init__(self, notes: Sequence[Note], ranker: Any) -> None:
        self._notes, self._ranker = tuple(notes), ranker
        self._patterns = [[re.compile(p, re.IGNORECASE) for p in note.errors] for note in notes]

    def search(self, query: str, *, target: str, limit: int = 3) -> list[Excerpt]:
        """The best excerpts for `query` among the notes for `target`, at most `limit`, best first.

        Equal scores keep the order of the notes' names, so the same query always gives the same list.
        """
        allowed = [i for i, note in enumerate(self._notes) if target in note.targets]
        by_pattern, rest = self._by_pattern(query[:_QUERY_CHARACTERS], allowed)
        scores: dict[int, float] = {}
        for weight, ranks in ((_PATTERN_WEIGHT, by_pattern), (1.0, self._by_words(rest, allowed))):
            for rank, i in enumerate(ranks, start=1):
                scores[i] = scores.get(i, 0.0) + weight / (_RANK_OFFSET + rank)
        best = sorted(scores, key=lambda i: (-scores[i], i))[: max(limit, 0)]
        return [self._excerpt(i, scores[i]) for i in best]

    def _by_pattern(self, query: str, allowed: Sequence[int]) -> tuple[list[int], str]:
        """Notes with a matching pattern, and the query without the text that they answer.

        The earliest match comes first (queries tell causes before consequences), the longer of two at
        one place first. What is left goes to the word search, so that the many words of a message do
        not drown the few that name an operator; where nothing is left, all of it goes.
        """
        found: list[tuple[int, int, int]] = []
        rest = query
        for i in allowed:
            matches = [match for pattern in self._patterns[i] if (match := pattern.search(query))]
            if matches:
                found.append(min((match.start(), match.start() - match.end(), i) for match in matches))
            for match in matches:
                rest = rest[: match.start()] + " " * len(match[0]) + rest[match.end() :]
        return [i for *_, i in sorted(found)], rest if rest.strip() else query

    def _by_words(self, query: str, allowed: Sequence[int]) -> list[int]:
        known = [term for term in dict.fromkeys(tokenize(query)) if term in self._ranker.vocab_dict]
        if not known or not allowed:
            return []
        import numpy

        scores = self._ranker.get_scores(known)[allowed]
        order = numpy.argsort(-scores, kind="stable")[:_WORD_RANKS]
        return [allowed[k] for k in order if scores[k] > 0]

    def _excerpt(self, i: int, score: float) -> Excerpt:
        note = self._notes[i]
        return Excerpt(note.title, cut(note.text, EXCERPT_CHARACTERS), note.source, score)
