"""`kernelopt lm requests DIR`."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kernelopt.cli.lm import command
from kernelopt.errors import LMError
from kernelopt.lms import LMOptions, Prompt
from kernelopt.lms.files import Files

PROMPTS = [Prompt("s", "23_Softmax\nrest"), Prompt("s", "40_LayerNorm")]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two requests, an hour and a day and a half old, that nobody has answered."""
    for prompt, age_s in zip(PROMPTS, (3600, 36 * 3600), strict=True):
        model = Files(str(tmp_path), LMOptions())
        model.interrupt()
        with pytest.raises(LMError):
            model.complete(prompt)
        path = tmp_path / "requests" / f"{prompt.hash}.md"
        written_s = path.stat().st_mtime - age_s
        os.utime(path, (written_s, written_s))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["requests", *arguments])


def test_lists_what_waits_and_how_to_reply(directory: Path) -> None:
    result = run(str(directory))
    assert result.exit_code == 0
    older, newer, advice = result.output.splitlines()
    assert older.split() == [f"{PROMPTS[1].hash}.md", "36", "h", "40_LayerNorm"]
    assert newer.split() == [f"{PROMPTS[0].hash}.md", "60", "min", "23_Softmax"]
    assert advice.startswith("2 requests pending")
    assert str(directory / "replies") in advice


def test_json_names_both_files(directory: Path) -> None:
    found = json.loads(run(str(directory), "--json").output)
    assert found["directory"] == str(directory)
    first = found["pending"][0]
    assert set(first) == {"name", "task", "age_s", "request", "reply"}
    assert Path(first["request"]).is_file()
    assert Path(first["reply"]) == directory / "replies" / first["name"]


def test_a_reply_takes_its_request_off_the_list(directory: Path) -> None:
    for prompt in PROMPTS:
        (directory / "replies" / f"{prompt.hash}.md").touch()
    assert run(str(directory)).output == "no request is pending\n"
    assert json.loads(run(str(directory), "--json").output)["pending"] == []


def test_a_directory_without_requests_is_an_error_of_the_user(tmp_path: Path) -> None:
    result = run(str(tmp_path / "nowhere"))
    assert isinstance(result.exception, LMError)
    assert "holds no requests" in str(result.exception)
