"""Embeddings: a stand-in encoder through the protocol; without a model nothing changes."""

import sys

import numpy as np
import pytest

from kernelopt.errors import ConfigError, MissingTool
from kernelopt.retrieval import disk, embeddings, index
from kernelopt.retrieval.index import Index
from kernelopt.retrieval.notes import Note

MEANINGS = [{"fast", "quick", "speedy"}, {"sum", "total", "reduction"}, {"wrong", "incorrect", "faulty"}]


class Thesaurus:
    """One dimension a meaning."""

    name = "thesaurus"

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(m & set(text.lower().split())) for m in MEANINGS] for text in texts])


NOTES = [
    Note("a", "Speedy", ("cpu",), (), (), "S", "how to be quick"),
    Note("b", "Totals", ("cpu",), (), ("bad total",), "S", "of a reduction"),
    Note("c", "Speedy", ("npu",), (), (), "S", "quick on the npu"),
]


def names(found):
    return [excerpt.name for excerpt in found]


def test_another_word_of_the_same_meaning_finds_a_note():
    encoder = Thesaurus()
    with_meaning = Index([index.build(NOTES, encoder)], encoder)
    assert names(with_meaning.search("fast", target="cpu")) == ["a"]
    assert names(Index([index.build(NOTES)]).search("fast", target="cpu")) == []


def test_words_and_patterns_count_beside_meaning():
    encoder = Thesaurus()
    both = Index([index.build(NOTES, encoder)], encoder)
    assert names(both.search("bad total fast", target="cpu")) == ["b", "a"]
    assert names(both.search("fast", target="npu")) == ["c"]


def test_vectors_are_stored_with_the_index(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    encoder = Thesaurus()
    disk.write("x", index.build(NOTES, encoder))
    asked = len(encoder.asked)
    stored = disk.read("x")
    assert names(Index([stored], encoder).search("fast", target="cpu")) == ["a"]
    assert len(encoder.asked) == asked + 1


def test_an_index_of_another_model_is_another_index():
    assert index.named(None) == []
    assert index.named(Thesaurus()) == ["thesaurus"]


@pytest.fixture
def unchosen():
    embeddings.chosen.cache_clear()
    yield
    embeddings.chosen.cache_clear()


def test_no_model_is_chosen_unless_one_is_named(unchosen, monkeypatch):
    monkeypatch.delenv(embeddings.VARIABLE, raising=False)
    assert embeddings.chosen() is None


def test_a_model_that_is_not_there_or_cannot_be_loaded_is_one_line(unchosen, monkeypatch, tmp_path):
    monkeypatch.setenv(embeddings.VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(ConfigError, match="is no folder"):
        embeddings.chosen()
    monkeypatch.setenv(embeddings.VARIABLE, str(tmp_path))
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingTool, match="pip install"):
        embeddings.chosen()
