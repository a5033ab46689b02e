"""Finds notes and sections of manuals: error patterns that match first, then rare words in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from kernelopt.resources import data_dir
from kernelopt.retrieval import Excerpt, Retriever, disk, embeddings, patterns
from kernelopt.retrieval.bm25 import Words, idf
from kernelopt.retrieval.disk import Built
from kernelopt.retrieval.embeddings import Encoder
from kernelopt.retrieval.excerpts import cut
from kernelopt.retrieval.notes import Note, parse, read_texts
from kernelopt.retrieval.situation import words_of
from kernelopt.retrieval.tokens import tokenize

EXCERPT_CHARACTERS = 1200
"""Most characters of one excerpt, about 300 tokens."""

_QUERY_CHARACTERS = 4000
_TITLE_WEIGHT, _TAG_WEIGHT, _PATTERN_WORDS = 3, 3, 1
_RANK_OFFSET = 60
"""The constant of reciprocal rank fusion: how little the first ranks differ."""
_PATTERN_WEIGHT = 5.0
"""A match in the first 240 places outweighs every word: 5 / (60 + 240) > 1 / 61."""
_MANUAL_WEIGHT = 0.9
"""Of two that share as much with a query our note comes first: it says what to do about the situation, where
a manual says what holds in general."""
_OWN_WEIGHT = 1.15
"""Of a note that holds for one target alone: it knows more of it than one for several."""
_RANKS = 100

Place = tuple[int, int]
"""Number of the collection, number of the note in it."""
Progress = Callable[[int, int], None]
"""Hears how many of how many notes are done."""


@lru_cache(maxsize=1)
def open_index() -> Retriever:
    """Our notes and the user's manuals, read from the cache or built once a process.

    Raises:
        ConfigError: a bundled note that does not keep its form (a broken installation), or an
            embedding model that is not there.
    """
    encoder = embeddings.chosen()
    shelf = None
    if (data_dir() / "manuals").is_dir():  # else there is no need of what reads them
        from kernelopt.retrieval import manuals

        shelf = manuals.open_sections(encoder)
    return Index([bundled(encoder=encoder), *([shelf] if shelf else [])], encoder)


def build_index(root: Path | None = None, encoder: Encoder | None = None) -> Retriever:
    """The index of the notes under `root`. Raises ConfigError for a note that does not keep its form."""
    return Index([bundled(root, encoder)], encoder)


def bundled(root: Path | None = None, encoder: Encoder | None = None, *, anew: bool = False) -> Built:
    """The notes under `root` (the bundled ones by default), from the cache or built and stored there."""
    texts = read_texts(root)
    name = disk.key([part for text in texts for part in text] + named(encoder))
    stored = None if anew else disk.read(name)
    if stored is None:
        stored = build([parse(*text) for text in texts], encoder)
        disk.write(name, stored)
    return stored


def named(encoder: Encoder | None) -> list[str]:
    """What the encoder adds to the key of an index."""
    return [encoder.name] if encoder else []


def build(notes: Sequence[Note], encoder: Encoder | None = None, progress: Progress | None = None) -> Built:
    """An index of notes, in memory."""
    terms = []
    for number, note in enumerate(notes, start=1):
        terms.append(_note_terms(note))
        if progress:
            progress(number, len(notes))
    texts = [f"{note.title}\n{note.text}" for note in notes]
    made = embeddings.vectors(encoder, texts) if encoder and texts else None
    return disk.build(notes, Words.build(terms), made)


def _note_terms(note: Note) -> list[str]:
    """Title and tags count more than the text; the words of the patterns find messages worded otherwise."""
    heading = tokenize(note.title) * _TITLE_WEIGHT + tokenize(" ".join(note.tags)) * _TAG_WEIGHT
    verbatim = (" ".join(words) for error in note.errors for words in patterns.demands(error))
    return heading + tokenize("\n".join(verbatim)) * _PATTERN_WORDS + tokenize(note.text)


class Index:
    """Collections of notes, each ranked by itself, fused by reciprocal rank; a `Retriever`."""

    def __init__(self, collections: Sequence[Built], encoder: Encoder | None = None) -> None:
        """The first collection is that of our notes, the others are the user's."""
        self._collections, self._encoder = tuple(collections), encoder
        self._sections = sum(collection.words.sections for collection in collections)

    def search(self, query: str, *, target: str, limit: int = 3) -> list[Excerpt]:
        """The best excerpts for `query` among the notes for `target`, at most `limit`, best first.

        Equal scores keep the order of the notes' names, so the same query always gives the same list.
        """
        found = Findings()
        vector = self._vector(query)
        for number in range(len(self._collections)):
            self._look_up(number, query[:_QUERY_CHARACTERS], target, vector, found)
        scores = found.fused()
        best = sorted(scores, key=lambda place: (-scores[place], place))[: max(limit, 0)]
        return [self._excerpt(*place, scores[place]) for place in best]

    def _look_up(self, number: int, query: str, target: str, vector: Any, found: Findings) -> None:
        """Add what one collection holds on a query."""
        import numpy as np

        collection = self._collections[number]
        if target not in collection.targets:
            return
        allowed = collection.masks & (1 << collection.targets.index(target)) > 0
        wanted = [(note, pattern) for note, pattern in collection.patterns if allowed[note]]
        by_pattern, rest = patterns.find(wanted, query)
        found.by_pattern += [(number, note) for note in by_pattern]
        weights = words_of(rest, query)
        weight = _MANUAL_WEIGHT if number else 1.0
        scores = collection.words.scores(list(weights), self._boosts(collection, weights)) * allowed
        scores *= np.where(collection.masks & (collection.masks - 1), 1.0, _OWN_WEIGHT).astype("f4")
        found.by_words += [(weight * float(scores[note]), (number, note)) for note in _top(scores)]
        if vector is not None and collection.vectors is not None:
            likeness = np.where(allowed, np.asarray(collection.vectors @ vector), 0.0)
            found.by_meaning += [(float(likeness[note]), (number, note)) for note in _top(likeness)]

    def _boosts(self, collection: Built, weights: Mapping[str, float]) -> list[float]:
        """Weights of the terms, each by how rare it is in all collections, so that their scores compare."""
        if len(self._collections) == 1:
            return list(weights.values())
        terms, size = list(weights), collection.words.sections
        each = [other.words.holding(terms) for other in self._collections]
        here, everywhere = collection.words.holding(terms), map(sum, zip(*each, strict=True))
        return [
            weights[term] * idf(total, self._sections) / idf(own, size)
            for term, own, total in zip(terms, here, everywhere, strict=True)
        ]

    def _vector(self, query: str) -> Any:
        return embeddings.vectors(self._encoder, [query])[0] if self._encoder and query.strip() else None

    def _excerpt(self, collection: int, number: int, score: float) -> Excerpt:
        note = self._collections[collection].note(number)
        return Excerpt(note.title, cut(note.text, EXCERPT_CHARACTERS), note.source, score, note.name)


@dataclass(slots=True)
class Findings:
    """What was found in all collections: notes as (collection, number), with strengths that compare."""

    by_pattern: list[Place] = field(default_factory=list)
    """Best first."""
    by_words: list[tuple[float, Place]] = field(default_factory=list)
    by_meaning: list[tuple[float, Place]] = field(default_factory=list)

    def fused(self) -> dict[Place, float]:
        """Reciprocal rank fusion of the three."""
        rankings = [(_PATTERN_WEIGHT, self.by_pattern)]
        for found in (self.by_words, self.by_meaning):
            found.sort(key=lambda each: (-each[0], each[1]))
            rankings.append((1.0, [place for _, place in found[:_RANKS]]))
        scores: dict[Place, float] = {}
        for weight, places in rankings:
            for rank, place in enumerate(places, start=1):
                scores[place] = scores.get(place, 0.0) + weight / (_RANK_OFFSET + rank)
        return scores


def _top(scores: Any) -> list[int]:
    """Places of the highest positive scores, the highest first, equal ones in order."""
    import numpy as np

    if len(scores) > _RANKS:  # what is as high as the last one that counts stays, so that order decides
        least = np.partition(scores, -_RANKS)[-_RANKS]
        places = np.flatnonzero((scores >= least) & (scores > 0))
    else:
        places = np.flatnonzero(scores > 0)
    order = np.argsort(-scores[places], kind="stable")[:_RANKS]
    return [int(place) for place in places[order]]
