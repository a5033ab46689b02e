"""The journal keeps every event once, in order, whoever asks."""

import math
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelopt.errors import StoreError
from kernelopt.store.journal import Journal


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def test_events_come_back_in_the_order_in_which_they_were_appended(journal):
    assert journal.append("lm", "a", {"n": 1}) == 1
    assert journal.append("evaluation", "a", {"n": 2}) == 2
    assert journal.append("lm", "b", {"n": 3}) == 3
    assert [(e.seq, e.kind, e.key, e.data) for e in journal.read()] == [
        (1, "lm", "a", {"n": 1}),
        (2, "evaluation", "a", {"n": 2}),
        (3, "lm", "b", {"n": 3}),
    ]


def test_reading_one_kind_leaves_out_the_others(journal):
    for number in range(600):  # more than one batch
        journal.append("lm" if number % 3 else "skip", str(number), {})
    assert [e.key for e in journal.read("skip")] == [str(n) for n in range(0, 600, 3)]
    assert journal.count("skip") == 200
    assert journal.count("nothing of the kind") == 0


def test_appending_a_known_key_keeps_the_old_data_and_returns_its_seq(journal):
    first = journal.append("lm", "key", {"text": "paid for"})
    journal.append("lm", "other", {})
    assert journal.append("lm", "key", {"text": "paid twice"}) == first
    assert journal.get("lm", "key") == {"text": "paid for"}
    assert journal.count("lm") == 2


def test_one_key_may_stand_under_several_kinds(journal):
    journal.append("rollout", "x", {"n": 1})
    journal.append("evaluation", "x", {"n": 2})
    assert journal.get("rollout", "x") == {"n": 1}
    assert journal.get("evaluation", "x") == {"n": 2}


def test_an_unknown_event_is_none(journal):
    assert journal.get("lm", "never asked") is None


def test_time_moves_on_and_is_unix_time_in_seconds(journal):
    journal.append("lm", "a", {})
    journal.append("lm", "b", {})
    first, second = journal.read()
    assert 1.7e9 < first.at <= second.at < 1e10


def test_data_that_plain_json_text_finds_hard_survives(tmp_path):
    hard = {"nan": math.nan, "inf": math.inf, "surrogate": "\ud83d", "zero": "a\0b", "long": "x" * 100_000}
    journal = Journal(tmp_path / "j")
    journal.append("lm", "hard", hard)
    journal.close()
    reopened = Journal(tmp_path / "j")
    found = reopened.get("lm", "hard")
    assert math.isnan(found.pop("nan"))
    assert found == {name: value for name, value in hard.items() if name != "nan"}
    assert reopened.damaged() == []
    reopened.close()


def test_a_reader_sees_what_is_appended_while_it_reads(journal):
    journal.append("lm", "0", {})
    seen = []
    for event in journal.read():
        seen.append(event.key)
        if len(seen) < 5:
            journal.append("lm", str(len(seen)), {})
    assert seen == ["0", "1", "2", "3", "4"]


def test_threads_append_each_key_once_and_without_gaps(journal):
    def work(name):
        for number in range(30):
            journal.append("lm", f"shared-{number}", {"by": name})
            journal.append("lm", f"{name}-{number}", {"by": name})

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = list(journal.read())
    assert [e.seq for e in events] == list(range(1, 5 * 30 + 1))
    assert len({e.key for e in events}) == len(events)
    assert all(e.data["by"] == e.key[0] for e in events if not e.key.startswith("shared"))


def test_a_reader_in_between_sees_the_writers_events_and_cannot_write(journal):
    journal.append("lm", "a", {"n": 1})
    reader = Journal(journal.path, write=False)
    assert reader.get("lm", "a") == {"n": 1}
    journal.append("lm", "b", {"n": 2})
    assert reader.get("lm", "b") == {"n": 2}
    with pytest.raises(StoreError, match=r"journal\.sqlite: it cannot be written"):
        reader.append("lm", "c", {})
    reader.close()


def test_a_reader_creates_nothing(tmp_path):
    with pytest.raises(StoreError, match="there is no such journal"):
        Journal(tmp_path / "journal.sqlite", write=False)
    assert not list(tmp_path.iterdir())


def test_closing_twice_is_harmless(journal):
    journal.close()
    journal.close()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_appends = st.lists(
    st.tuples(
        st.sampled_from(["lm", "skip", "rollout"]),
        st.text(st.characters(codec="utf-8"), max_size=4),
        st.dictionaries(st.text(max_size=5), _json, max_size=3),
    ),
    max_size=15,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(appends=_appends, reopen=st.sets(st.integers(0, 14)))
def test_the_journal_is_an_insertion_ordered_dict_that_never_overwrites(tmp_path_factory, appends, reopen):
    path = tmp_path_factory.mktemp("model") / "journal.sqlite"
    journal, model = Journal(path), {}
    for number, (kind, key, data) in enumerate(appends):
        if number in reopen:
            journal.close()
            journal = Journal(path)
        seq = journal.append(kind, key, data)
        model.setdefault((kind, key), data)
        assert seq == list(model).index((kind, key)) + 1
    assert {(e.kind, e.key): e.data for e in journal.read()} == model
    assert [(e.kind, e.key) for e in journal.read()] == list(model)
    for kind in ("lm", "skip", "rollout"):
        assert journal.count(kind) == sum(k == kind for k, _ in model)
    assert journal.damaged() == []
    journal.close()
