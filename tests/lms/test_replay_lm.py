"""Replay: recorded answers, each once, and nothing that was not recorded."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kernelopt.errors import LMError
from kernelopt.lms import Completion, LMOptions, Prompt
from kernelopt.lms._transcript import NAME, Record, append
from kernelopt.lms.replay import Replay
from kernelopt.testing import LMContract

ANSWERS = {Prompt("s", text): f"reply to {text}" for text in ("one", "two", "three", "four")}


def written(path: Path, *pairs: tuple[Prompt, str]) -> Replay:
    for number, (prompt, text) in enumerate(pairs):
        append(path, Record(prompt, Completion(text, cost_usd=0.25), role=f"role {number}"))
    return Replay(str(path), LMOptions())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


class TestContract(LMContract):
    @pytest.fixture
    def lm(self, path: Path) -> Replay:
        return written(path, *ANSWERS.items())

    @pytest.fixture
    def answers(self) -> dict[Prompt, str]:
        return ANSWERS


def test_answers_as_recorded_cost_included(path: Path) -> None:
    lm = written(path, (Prompt("s", "u"), "t"))
    assert lm.complete(Prompt("s", "u")) == Completion("t", cost_usd=0.25)


def test_a_run_directory_stands_for_its_transcript(path: Path) -> None:
    written(path, (Prompt("s", "u"), "t"))
    assert Replay(str(path.parent), LMOptions()).complete(Prompt("s", "u")).text == "t"


def test_answers_to_one_prompt_come_in_the_recorded_order(path: Path) -> None:
    same, other = Prompt("s", "same"), Prompt("s", "other")
    lm = written(path, (same, "first"), (other, "x"), (same, "second"))
    assert [lm.complete(same).text for _ in range(2)] == ["first", "second"]


def test_an_answer_is_given_only_as_often_as_it_was_recorded(path: Path) -> None:
    prompt = Prompt("s", "u")
    lm = written(path, (prompt, "a"), (prompt, "b"))
    lm.complete(prompt)
    lm.complete(prompt)
    with pytest.raises(LMError, match=rf"prompt {prompt.hash} was recorded 2 times and is asked once more"):
        lm.complete(prompt)


def test_threads_share_the_answers_out(path: Path) -> None:
    prompt = Prompt("s", "u")
    recorded = [str(number) for number in range(50)]
    lm = written(path, *((prompt, text) for text in recorded))
    with ThreadPoolExecutor(8) as pool:
        given = [done.text for done in pool.map(lm.complete, [prompt] * 50)]
    assert sorted(given) == sorted(recorded)


def test_a_resumed_run_goes_on_behind_the_answers_it_had(path: Path) -> None:
    prompt = Prompt("s", "u")
    lm = written(path, (prompt, "a"), (prompt, "b"), (prompt, "c"))
    lm.already_answered([prompt.hash, prompt.hash])
    assert lm.complete(prompt).text == "c"


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (Prompt("be brief", "a\nB\nc\nd"), "user line 2: asked 'B', recorded 'b'"),
        (Prompt("be rude", "a\nb\nc"), "system line 1: asked 'be rude', recorded 'be brief'"),
        (Prompt("be brief", "a\nb\nc\nd"), "user line 4: asked 'd', recorded nothing"),
        (Prompt("be brief", "a\nb\nc\n"), "its line ends"),
    ],
)
def test_an_unknown_prompt_names_the_first_difference_from_the_nearest(
    path: Path, asked: Prompt, difference: str
) -> None:
    near = Prompt("be brief", "a\nb\nc")
    lm = written(path, (Prompt("x", "y"), "far"), (near, "near"), (Prompt("be brief", "z"), "far"))
    with pytest.raises(LMError) as caught:
        lm.complete(asked)
    message = str(caught.value)
    assert f"prompt {asked.hash} was not recorded; the nearest of 3 is {near.hash}" in message
    assert message.endswith(difference)
    assert "\n" not in message


def test_a_miss_says_which_lines_could_not_be_read(path: Path) -> None:
    written(path, (Prompt("s", "u"), "t"))
    with path.open("ab") as file:
        file.write(b'{"torn')
    lm = Replay(str(path), LMOptions())
    assert lm.missing() is None
    with pytest.raises(LMError, match="line 2 was cut off"):
        lm.complete(Prompt("s", "v"))


def test_a_transcript_that_is_not_there(path: Path) -> None:
    lm = Replay(str(path), LMOptions())
    hint = lm.missing()
    assert hint is not None
    assert "No such file" in hint
    with pytest.raises(LMError, match="No such file"):
        lm.complete(Prompt("s", "u"))


def test_an_empty_transcript(path: Path) -> None:
    path.touch()
    lm = Replay(str(path), LMOptions())
    assert lm.missing() == f"replay:{path}: the transcript holds no whole record"
    with pytest.raises(LMError, match="the transcript is empty"):
        lm.complete(Prompt("s", "u"))
