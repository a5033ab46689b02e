"""A disk that is full or read-only is one clear line, and loses nothing that was acknowledged."""

import pytest

from kernelopt.errors import StoreError
from kernelopt.store.artifacts import Artifacts
from kernelopt.store.journal import Journal
from kernelopt.store.run import create_run, open_run


def fill(journal, limit=10_000):
    """Append until the disk is full; returns the keys that were acknowledged, and the error."""
    for number in range(limit):
        try:
            journal.append("lm", str(number), {"text": "x" * 3000})
        except StoreError as error:
            return [str(n) for n in range(number)], error
    raise AssertionError("the disk never filled up")


def assert_one_line(error, path, words):
    message = str(error)
    assert message.startswith(f"{path}: ") and words in message and "\n" not in message


def test_a_database_that_may_not_grow_reports_a_full_disk_and_keeps_its_events(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    journal._db.execute("PRAGMA max_page_count = 60")
    keys, error = fill(journal)
    assert_one_line(error, journal.path, "the disk is full")
    assert [event.key for event in journal.read()] == keys
    journal._db.execute("PRAGMA max_page_count = 1000")
    assert journal.append("lm", "there is room again", {}) == len(keys) + 1
    journal.close()


def test_a_really_full_disk_keeps_what_was_acknowledged(small_disk):
    journal = Journal(small_disk / "journal.sqlite")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(200_000))
    keys, error = fill(journal)
    assert_one_line(error, journal.path, "disk")
    assert [event.key for event in journal.read()] == keys
    ballast.unlink()
    journal.append("lm", "there is room again", {})
    journal.close()
    reopened = Journal(journal.path)
    assert [event.key for event in reopened.read()] == [*keys, "there is room again"]
    assert reopened.damaged() == []
    reopened.close()


def test_a_full_disk_leaves_no_half_written_artifact_or_kernel(small_disk):
    artifacts = Artifacts(small_disk / "artifacts")
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        artifacts.put("x" * 1_000_000)
    assert [path for path in (small_disk / "artifacts").rglob("*") if path.is_file()] == []


def test_a_full_disk_keeps_the_old_manifest(small_disk):
    with create_run(small_disk, "one", {"suite": "file", "language": "cpp"}) as run:
        (small_disk / "ballast").write_bytes(bytes(512_000 - 250_000))
        with pytest.raises(StoreError, match="the disk is full"):
            run.update_manifest(notes="x" * 400_000)
        assert "notes" not in run.manifest
    with open_run("one", small_disk) as run:
        assert run.manifest["language"] == "cpp"


def test_no_run_can_be_made_on_a_read_only_disk(read_only_disk):
    folder, freeze = read_only_disk
    freeze()
    with pytest.raises(StoreError) as caught:
        create_run(folder, "one", {})
    assert_one_line(caught.value, folder, "read-only; choose another folder with --runs")


def test_a_run_on_a_read_only_disk_can_be_read(read_only_disk):
    folder, freeze = read_only_disk
    with create_run(folder, "one", {}) as run:
        run.journal.append("lm", "a", {"n": 1})
    freeze()
    with open_run("one", folder) as run:
        assert run.journal.get("lm", "a") == {"n": 1}
    with pytest.raises(StoreError, match="read-only"):
        open_run("one", folder, write=True)


def test_a_run_killed_on_a_disk_that_then_became_read_only_can_be_read(read_only_disk):
    folder, freeze = read_only_disk
    run = create_run(folder, "one", {})
    run.journal.append("lm", "a", {"n": 1})
    copy = folder / "killed"  # with its log, as a kill leaves it
    copy.mkdir()
    for name in ("manifest.json", "journal.sqlite", "journal.sqlite-wal"):
        (copy / name).write_bytes((run.folder / name).read_bytes())
    run.close()
    freeze()
    with open_run("killed", folder) as killed:
        assert killed.journal.get("lm", "a") == {"n": 1}
