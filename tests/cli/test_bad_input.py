"""Bad input: one clear line on stderr, exit code 2, no traceback, nothing lost."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kernelopt.store.run import create_run, open_run

TASK = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return x + 1
def get_inputs():
    return [torch.rand(8, 8)]
def get_init_inputs():
    return []
"""


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "kernelopt", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refused(result, *words):
    assert result.returncode == 2, result.stderr + result.stdout
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("kernelopt: ")
    for word in words:
        assert word in lines[0]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "task.py").write_text(TASK)
    (tmp_path / "broken.py").write_text("class Model:\n  def forward(self:\n")
    (tmp_path / "half.py").write_text("class Model: ...\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "--suite", "nope"], ["nope", "kernelbench"]),
        (["search", "--tasks", "9/99"], ["9/99"]),
        (["search", "--subset", "nope"], ["nope"]),
        (["search", "--suite", "broken.py"], ["broken.py"]),
        (["search", "--suite", "half.py"], ["half.py", "get_inputs"]),
        (["search", "--suite", "task.py", "--language", "fortran"], ["fortran", "cpp"]),
        (["search", "--suite", "task.py", "--sandbox", "vault"], ["vault", "process"]),
        (["search", "--suite", "task.py", "--lm", "replay:nothing.jsonl"], ["nothing.jsonl"]),
        (["search", "--suite", "task.py", "--budget-evals", "-3"], ["-3"]),
        (["search", "--suite", "task.py", "--budget-evals", "+3", "--dry-run"], ["+3"]),
        (["search", "--suite", "task.py", "--mode", "generalize", "--dry-run"], ["at least 3 tasks"]),
        (["search", "--suite", "task.py", "--executor", "replay:gone"], ["gone"]),
        (["eval", "nothing.py", "--suite", "task.py"], ["nothing.py"]),
        (["eval", "task.py", "--task", "9/9"], ["9/9"]),
        (["eval", "task.py"], ["--task"]),
        (["bench", "nowhere", "--suite", "task.py"], ["nowhere"]),
        (["bench", ".", "--levels", "1"], ["1-1"]),
        (["report", "no-such-run"], ["no-such-run"]),
        (["resume", "no-such-run"], ["no-such-run"]),
        (["show", "no-such-run", "1/1"], ["no-such-run"]),
        (["nonsense"], ["nonsense"]),
        (["search", "--nonsense"], ["--nonsense"]),
    ],
    ids=lambda value: "_".join(value[:4]) if isinstance(value, list) else None,
)
def test_it_is_refused_in_one_line(place, arguments, words):
    refused(run(*arguments, cwd=place), *words)


def test_an_unknown_model_is_refused_before_anything_is_created(place):
    result = run("search", "--suite", "task.py", "--lm", "nosuchprovider/x", cwd=place)
    refused(result, "nosuchprovider")
    assert not list((place / "runs").glob("*")) if (place / "runs").exists() else True


def test_a_missing_compiler_is_named_with_the_way_to_get_it(place):
    result = run("search", "--suite", "task.py", cwd=place, PATH=str(Path(sys.executable).parent))
    refused(result, "g++")


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may write anywhere; the next test covers files in the way"
)
def test_an_unwritable_run_directory(place):
    locked = place / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    refused(run("search", "--suite", "task.py", "--runs", str(locked), cwd=place), "locked")


def test_a_file_where_runs_should_be(place):
    (place / "runs").write_text("in the way")
    refused(run("search", "--suite", "task.py", cwd=place), "runs")


def test_a_full_disk_stops_a_search_in_one_line(place):
    """The file size limit stands in for a full disk: writing fails in the middle of the run."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000));"
        "from kernelopt.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, "search", "--suite", "task.py", "--budget-evals", "3", "-q"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    refused(result)


def test_a_damaged_journal_names_the_record_and_keeps_the_rest(place):
    with create_run(place / "runs", "hurt", {"suite": "own", "language": "cpp", "tasks": []}) as made:
        for number in range(3):
            made.journal.append("lm", f"call-{number}", {"completion": {"text": "x"}})
    with sqlite3.connect(place / "runs/hurt/journal.sqlite") as database:
        database.execute("UPDATE events SET data = '{}' WHERE key = 'call-1'")
    with open_run("hurt", place / "runs") as read:
        assert [event.key for event in read.journal.read("lm")] == ["call-0", "call-2"]
        (line,) = read.journal.damaged()
        assert "call-1" in line
    result = run("report", "hurt", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "call-1" in result.stdout + result.stderr
