"""The transcript can be rebuilt from the journal, line by line."""

import dataclasses
import json

import pytest

from kernelopt.lms import Completion, Prompt
from kernelopt.lms._transcript import Record
from kernelopt.store import transcript
from kernelopt.store.journal import Journal


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def call(user, text):
    completion = {"text": text, "tokens_in": 3, "tokens_out": 5, "cost_usd": 0.25}
    return {"role": "task", "system": "You write kernels.", "user": user, "completion": completion}


def test_every_call_is_one_line_with_its_prompts_hash(journal, tmp_path):
    journal.append("lm", "task:1", call("Softmax, please.\nIn C++.", "```cpp\n```"))
    journal.append("skip", "1-9", {"reason": "too large", "bytes": 1})
    journal.append("lm", "task:2", call("And \ud83d a matmul.", ""))
    lines = transcript.rebuild(journal, tmp_path).read_text().splitlines()
    first, second = map(json.loads, lines)
    assert first == {
        "prompt_hash": Prompt("You write kernels.", "Softmax, please.\nIn C++.").hash,
        "role": "task",
        "system": "You write kernels.",
        "user": "Softmax, please.\nIn C++.",
        "completion": {"text": "```cpp\n```", "tokens_in": 3, "tokens_out": 5, "cost_usd": 0.25},
        "key": "task:1",
    }
    assert second["user"] == "And \ud83d a matmul." and second["key"] == "task:2"


def test_a_rebuilt_line_is_the_line_that_the_live_transcript_would_hold(journal, tmp_path):
    completion = Completion("```cpp\n```", tokens_in=7, cost_usd=0.5, model="m")
    data = {"role": "task", "system": "s", "user": "ü", "completion": dataclasses.asdict(completion)}
    journal.append("lm", "task:1", data)
    live = Record(Prompt("s", "ü"), completion, "task", "task:1")
    assert transcript.rebuild(journal, tmp_path).read_text() == live.to_line()


def test_rebuilding_replaces_a_cut_file(journal, tmp_path):
    journal.append("lm", "task:1", call("a", "b"))
    whole = transcript.rebuild(journal, tmp_path).read_text()
    (tmp_path / "transcript.jsonl").write_text(whole[:20])
    assert transcript.rebuild(journal, tmp_path).read_text() == whole


def test_a_run_without_calls_has_an_empty_transcript(journal, tmp_path):
    assert transcript.rebuild(journal, tmp_path).read_text() == ""
