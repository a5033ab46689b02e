"""The transcript: what is appended is read again, whatever else the file suffers."""

import errno
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelopt.errors import StoreError
from kernelopt.lms import Completion, Prompt
from kernelopt.lms._transcript import Record, append, read

# Replies may hold anything, lone surrogates of a broken decoder included.
anything = st.text(st.characters(exclude_categories=()))
completions = st.builds(
    Completion,
    text=anything,
    tokens_in=st.integers(0, 10**9),
    tokens_out=st.integers(0, 10**9),
    cost_usd=st.floats(0, 1e6),
    priced=st.booleans(),
    model=anything,
    finish_reason=anything,
    seconds=st.floats(0, 1e6),
    attempts=st.integers(1, 99),
)
records = st.builds(
    Record, st.builds(Prompt, anything, anything), completions, role=anything, key=st.none() | anything
)


def record(user: str = "u", text: str = "t") -> Record:
    return Record(Prompt("s", user), Completion(text, cost_usd=0.5), role="task", key="0/gen")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcript.jsonl"


@given(records)
def test_a_record_survives_its_line(one: Record) -> None:
    assert Record.from_line(one.to_line()) == one


@given(records)
def test_a_record_is_one_line_of_ascii(one: Record) -> None:
    line = one.to_line()
    assert line.isascii()
    assert line.count("\n") == 1
    assert line.endswith("\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(st.lists(records, max_size=5))
def test_records_come_back_in_order(path: Path, several: list[Record]) -> None:
    path.unlink(missing_ok=True)
    path.touch()
    for one in several:
        append(path, one)
    assert read(path).records == tuple(several)


@given(records, st.data())
def test_a_line_cut_anywhere_is_never_taken_for_another_record(one: Record, data: st.DataObject) -> None:
    line = one.to_line().rstrip("\n")
    cut = data.draw(st.integers(0, len(line) - 1))
    with pytest.raises(ValueError):
        Record.from_line(line[:cut])


def test_a_torn_last_line_is_reported_and_the_rest_kept(path: Path) -> None:
    append(path, record("one"))
    whole = path.read_bytes()
    path.write_bytes(whole + record("two").to_line().encode()[:40])
    found = read(path)
    assert found.records == (record("one"),)
    assert len(found.problems) == 1
    assert "line 2 was cut off" in found.problems[0]


def test_a_record_after_a_torn_line_is_not_lost_with_it(path: Path) -> None:
    path.write_bytes(record("torn").to_line().encode()[:40])
    append(path, record("next"))
    found = read(path)
    assert found.records == (record("next"),)
    assert "line 1" in found.problems[0]


def test_a_last_line_that_lacks_only_its_end_counts(path: Path) -> None:
    path.write_text(record().to_line().rstrip("\n"))
    assert read(path).records == (record(),)


@pytest.mark.parametrize(
    "damaged",
    [
        b"\xff\xfe garbage",
        b"[]",
        b"17",
        b"[" * 100_000,
        record().to_line().replace('"u"', '"v"').encode().strip(),
        record().to_line().replace('"t"', "5").encode().strip(),
        record().to_line().replace("0.5", '"half"').encode().strip(),
        record().to_line().replace('"role": "task"', '"role": null').encode().strip(),
        b'{"prompt_hash": 1}',
    ],
    ids=["bytes", "list", "number", "deep", "prompt", "text", "cost", "role", "half"],
)
def test_a_damaged_line_in_the_middle_is_named_and_the_rest_kept(path: Path, damaged: bytes) -> None:
    ends = [record("first").to_line().encode(), record("last").to_line().encode()]
    path.write_bytes(ends[0] + damaged + b"\n" + ends[1])
    found = read(path)
    assert [one.prompt.user for one in found.records] == ["first", "last"]
    assert len(found.problems) == 1
    assert "line 2 is no record" in found.problems[0]


def test_fields_of_a_later_version_are_ignored() -> None:
    body = json.loads(record().to_line())
    body["completion"]["reasoning"] = "…"
    body["later"] = 1
    assert Record.from_line(json.dumps(body)) == record()


def test_fields_of_a_completion_that_are_absent_have_their_defaults() -> None:
    body = json.loads(record().to_line())
    del body["completion"]["seconds"], body["key"]
    assert Record.from_line(json.dumps(body)) == replace(record(), key=None)


def test_threads_do_not_tear_each_others_lines(path: Path) -> None:
    def write(worker: int) -> None:
        for number in range(10):
            append(path, record(f"{worker}-{number}", "x" * 20_000))

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read(path)
    assert found.problems == ()
    assert {one.prompt.user for one in found.records} == {f"{w}-{n}" for w in range(5) for n in range(10)}


def test_a_full_disk_is_one_line() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("the system has no /dev/full")
    with pytest.raises(StoreError, match=r"^cannot write the transcript /dev/full: No space left"):
        append(full, record())


def test_a_transcript_that_is_not_there_is_one_line(path: Path) -> None:
    with pytest.raises(StoreError, match="No such file") as caught:
        read(path)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOENT


def test_a_directory_that_is_not_there_is_one_line(path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write the transcript"):
        append(path.parent / "gone" / path.name, record())
