"""What the manual index found in a run is kept in it: a resume must ask the model the very same."""

import pytest

from kernelopt.retrieval import Excerpt, index, target_of
from kernelopt.search.run import _retriever


class Ledger:
    def __init__(self):
        self.events = {}

    def known(self, kind, key):
        return self.events.get((kind, key))

    def record(self, kind, key, data):
        self.events.setdefault((kind, key), data)


class Manual:
    def __init__(self, title):
        self.title = title

    def search(self, query, *, target):
        return [Excerpt(f"{self.title} for {target}", query, "S", 1.0, "n")]


def test_a_query_is_looked_up_once_for_a_run(monkeypatch):
    ledger = Ledger()
    monkeypatch.setattr(index, "open_index", lambda: Manual("old"))
    first = _retriever(ledger, "cuda")("softmax")
    assert first == [Excerpt("old for cuda", "softmax", "S", 1.0, "n")]
    monkeypatch.setattr(index, "open_index", lambda: Manual("new"))
    resumed = _retriever(ledger, "cuda")
    assert resumed("softmax") == first
    assert resumed("matmul")[0].title == "new for cuda"


@pytest.mark.parametrize(
    ("language", "device", "target"),
    [
        ("cpp", "cpu", "cpu"),
        ("triton", "interpreter", "triton"),
        ("cupy", "cuda", "cupy"),
        ("own", "tpu", "tpu"),
    ],
)
def test_notes_are_filed_by_language(language, device, target):
    assert target_of(language, device) == target
