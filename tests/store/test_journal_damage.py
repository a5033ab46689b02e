"""A damaged journal says which record is lost and keeps the rest; it never hands out garbage."""

import os
import random
import subprocess
import sys
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelopt.errors import StoreError
from kernelopt.store._salvage import PAGE_BYTES, salvage
from kernelopt.store.journal import Journal

COUNT = 40


def data(number):
    """Some records fit on a page, some need a chain of overflow pages."""
    return {"n": number, "text": f"<mark-{number}>" + chr(97 + number % 26) * (number * 397 % 15_000)}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    for number in range(1, COUNT + 1):
        journal.append("evaluation", f"1-{number}:k{number}", data(number))
    journal.close()
    return path


def overwrite(path, offset, content):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def flip(path, needle):
    """Change one byte of the first place that reads `needle`."""
    content = path.read_bytes()
    at = content.index(needle)
    overwrite(path, at, bytes([content[at] ^ 1]))


def assert_kept(journal, lost=()):
    kept = {event.seq: event.data for event in journal.read()}
    assert kept == {n: data(n) for n in range(1, COUNT + 1) if n not in lost}


def test_a_damaged_record_is_named_and_skipped(path):
    flip(path, b"<mark-7>")
    journal = Journal(path)
    assert journal.damaged() == ["event 7 (evaluation 1-7:k7): its checksum does not match"]
    assert journal.get("evaluation", "1-7:k7") is None
    assert journal.count("evaluation") == COUNT - 1
    assert_kept(journal, lost={7})
    journal.close()


def test_appending_a_damaged_record_again_heals_it_in_place(path):
    flip(path, b"<mark-7>")
    journal = Journal(path)
    assert journal.append("evaluation", "1-7:k7", data(7)) == 7
    assert journal.damaged() == []
    assert_kept(journal)
    journal.close()


@pytest.mark.parametrize("write", [True, False], ids=["writer", "reader"])
def test_a_record_with_a_damaged_key_is_lost_and_the_rest_kept(path, write):
    content = path.read_bytes()
    at = content.index(b"1-7:k7{")  # in the row, where the data follows, not in the index
    overwrite(path, at, b"9")
    journal = Journal(path, write=write)
    assert journal.damaged() == ["event 7 (evaluation 9-7:k7): lost, it was damaged"]
    assert_kept(journal, lost={7})
    journal.close()


def test_a_loss_is_still_told_after_the_journal_was_rebuilt(path):
    overwrite(path, path.read_bytes().index(b"1-7:k7{"), b"9")
    Journal(path).close()
    journal = Journal(path)
    assert journal.damaged() == ["event 7: lost, it was damaged"]
    assert journal.append("evaluation", "1-7:k7", data(7)) == COUNT + 1
    journal.close()


def test_a_destroyed_header_costs_no_record(path):
    overwrite(path, 0, os.urandom(100))
    journal = Journal(path)
    assert_kept(journal)
    assert journal.damaged() == []
    journal.append("lm", "life goes on", {})
    journal.close()


def test_the_damaged_file_stays_beside_the_rebuilt_one(path):
    overwrite(path, 0, os.urandom(100))
    damaged = path.read_bytes()
    Journal(path).close()
    (kept,) = path.parent.glob("journal.sqlite.damaged-*")
    assert kept.read_bytes() == damaged
    assert path.read_bytes().startswith(b"SQLite format 3")


def test_a_reader_repairs_nothing_on_disk(path):
    overwrite(path, 0, os.urandom(100))
    before = path.read_bytes()
    journal = Journal(path, write=False)
    assert_kept(journal)
    journal.close()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_file_cut_short_keeps_what_is_left(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    journal = Journal(path)
    kept = {event.seq: event.data for event in journal.read()}
    assert kept and kept == {seq: data(seq) for seq in kept}
    missing = set(range(1, max(kept))) - set(kept)
    assert {line.split()[1].rstrip(":") for line in journal.damaged()} >= {str(seq) for seq in missing}
    journal.close()


@pytest.mark.parametrize("content", [b"hello\n" * 1000, bytes(PAGE_BYTES * 3)], ids=["text", "zeros"])
@pytest.mark.parametrize("write", [True, False], ids=["writer", "reader"])
def test_a_file_with_nothing_readable_is_one_clear_line(tmp_path, content, write):
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Journal(path, write=write)
    message = str(caught.value)
    assert str(path) in message and "restore it from a copy" in message and "\n" not in message
    assert path.read_bytes() == content


def test_records_that_only_the_log_holds_are_salvaged(tmp_path):
    """A killed writer leaves its records in the -wal file; then the main file is damaged too."""
    path = tmp_path / "journal.sqlite"
    script = """
        import os, sys
        from pathlib import Path
        from kernelopt.store.journal import Journal
        journal = Journal(Path(sys.argv[1]))
        for n in range(30):
            journal.append("lm", str(n), {"n": n, "text": "y" * 300 * n})
        os._exit(9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path)], check=False)
    assert path.with_name("journal.sqlite-wal").stat().st_size > 30 * 300
    overwrite(path, 0, os.urandom(100))
    journal = Journal(path)
    assert [event.data["n"] for event in journal.read()] == list(range(30))
    journal.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 3 * PAGE_BYTES))
def test_whatever_is_overwritten_no_garbage_is_handed_out(path, tmp_path_factory, seed, length):
    copy = tmp_path_factory.mktemp("damaged") / "journal.sqlite"
    copy.write_bytes(path.read_bytes())
    chance = random.Random(seed)
    overwrite(copy, chance.randrange(path.stat().st_size - length), chance.randbytes(length))
    journal = Journal(copy)
    events = list(journal.read())
    assert all((e.kind, e.key, e.data) == ("evaluation", f"1-{e.seq}:k{e.seq}", data(e.seq)) for e in events)
    assert len(events) >= COUNT // 2  # damage of a few pages never costs most of the journal
    seqs = {event.seq for event in events}
    lost = set(range(1, max(seqs))) - seqs
    named = {int(line.split()[1].rstrip(":")) for line in journal.damaged()}
    assert lost <= named and not named & seqs
    journal.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=12))
def test_salvaging_a_healthy_file_finds_every_record(tmp_path_factory, lengths):
    path = tmp_path_factory.mktemp("healthy") / "journal.sqlite"
    journal = Journal(path)
    for number, length in enumerate(lengths):
        journal.append("lm", f"clé-{number}", {"text": "z" * length})
    live = salvage(path)  # still in the log
    journal.close()
    for found in (live, salvage(path)):
        assert [len(r.event().data["text"]) for r in found.records] == lengths
        assert found.broken == []
