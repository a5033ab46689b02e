"""report, list and show read runs from anywhere, while they run and after they broke."""

import json
import sys
from pathlib import Path

import pytest

from kernelopt.cli.main import main

sys.path.append(str(Path(__file__).parents[1] / "report"))
import sample_run as sample


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder with one finished run, as KERNELOPT_RUNS; the current folder is another one."""
    folder = tmp_path / "runs"
    sample.make(folder)
    monkeypatch.setenv("KERNELOPT_RUNS", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def output(capsys, *arguments, code=0):
    assert main(list(arguments)) == code
    captured = capsys.readouterr()
    if code:
        assert captured.out == "" and captured.err.count("\n") == 1
        assert captured.err.startswith("kernelopt: ")
    return captured.out or captured.err


@pytest.mark.parametrize("arguments", [["sample"], ["latest"], [], ["runs/sample"]])
def test_report_finds_the_run_by_name_by_path_and_as_the_newest(runs, capsys, arguments):
    text = output(capsys, "report", *arguments)
    assert text.startswith("kernelbench-core (bundled, 5 tasks; not the official set)\n")
    assert "2.20× [2.05, 2.30]" in text and "\x1b" not in text


def test_runs_on_the_command_line_wins_over_the_environment(runs, capsys, monkeypatch):
    monkeypatch.setenv("KERNELOPT_RUNS", "nowhere")
    assert "sample" in output(capsys, "list", "--runs", str(runs))
    assert "nowhere/ holds no runs" in output(capsys, "report", "sample", code=2)


def test_report_json_is_json(runs, capsys):
    data = json.loads(output(capsys, "report", "--json"))
    assert data["run"] == "sample" and data["scores"]["all"]["best"]["fast_1"]["strict"] == 0.25


def test_a_run_under_way_can_be_reported(runs, capsys):
    with sample.begin(runs, "busy"):
        assert json.loads(output(capsys, "report", "busy", "--json"))["state"] == "running"
        assert "busy, running (process" in output(capsys, "report", "busy")


def test_list_shows_all_runs_oldest_first(runs, capsys):
    sample.begin(runs, "a-later-one").close()
    assert [line.split()[:2] for line in output(capsys, "list").splitlines()[1:]] == [
        ["sample", "finished"],
        ["a-later-one", "interrupted"],
    ]
    assert [row["run"] for row in json.loads(output(capsys, "list", "--json"))] == ["sample", "a-later-one"]


def test_one_broken_run_does_not_hide_the_others(runs, capsys):
    broken = sample.make(runs, "broken")
    (broken / "journal.sqlite").write_bytes(b"nonsense" * 1000)
    lines = output(capsys, "list").splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["sample", "finished"], ["broken", "unreadable"]]
    rows = json.loads(output(capsys, "list", "--json"))
    assert "damaged beyond repair" in rows[1]["error"] and "error" not in rows[0]


def test_an_empty_folder_lists_nothing(tmp_path, capsys):
    assert main(["list", "--runs", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith(f"no runs in {tmp_path}/")
    assert json.loads(output(capsys, "list", "--runs", str(tmp_path), "--json")) == []


def test_show_prints_evaluation_and_attempts(runs, capsys):
    text = output(capsys, "show", "sample", "1/1")
    assert "measured again at the end" in text and "the reply holds no code" in text
    data = json.loads(output(capsys, "show", "sample", "1/1", "--json"))
    assert data["source"] == sample.SOURCE and len(data["attempts"]) == 4


def test_show_source_prints_the_kernel_and_nothing_else(runs, capsys):
    assert output(capsys, "show", "sample", "1/1", "--source") == sample.SOURCE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "samples"], "no run 'samples' in"),
        (["show", "samples", "1/1"], "did you mean sample?"),
        (["show", "sample", "9/9"], "run sample has no task '9/9'"),
        (["show", "sample", "1/4", "--source"], "no kernel of task 1/4 is kept yet"),
    ],
)
def test_what_does_not_exist_is_one_line_and_exit_code_2(runs, capsys, arguments, words):
    assert words in output(capsys, *arguments, code=2)


def test_a_damaged_kernel_is_one_line_and_the_report_still_works(runs, capsys):
    for path in (runs / "sample/artifacts").rglob("*"):
        if path.is_file() and path.read_text() == sample.SOURCE:
            path.write_text("something else")
    assert "damaged, its content does not match" in output(
        capsys, "show", "sample", "1/1", "--source", code=2
    )
    assert "2.20×" in output(capsys, "report")


def test_a_lost_record_is_named_and_the_rest_reported(runs, capsys):
    journal = runs / "sample/journal.sqlite"
    journal.write_bytes(journal.read_bytes().replace(b"in the tail", b"in the TAIL"))
    text = output(capsys, "report")
    assert "damaged: event" in text and "its checksum does not match" in text and "2.20×" in text


def test_on_a_terminal_a_source_cannot_drive_it(runs, capsys, monkeypatch):
    with sample.begin(runs, "evil") as run:
        source = run.artifacts.put("# \x1b]0;owned\x07\n")
        fast = sample.passed("1/4", "k-evil", 3.0, 3.1, 3.2)
        run.journal.append("evaluation", "1-4:k-evil", {**sample.to_json(fast), "source": source})
    assert output(capsys, "show", "evil", "1/4", "--source") == "# \x1b]0;owned\x07\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "\x1b" not in output(capsys, "show", "evil", "1/4", "--source")
