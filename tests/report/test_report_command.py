"""`kernelopt report --html`: where the file goes, and what is refused."""

import webbrowser

import pytest
import sample_run as sample
from html_page import Page

from kernelopt.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return sample.make(tmp_path / "runs")


def test_the_file_goes_into_the_runs_folder_and_its_name_is_printed(folder, capsys):
    assert main(["report", "sample", "--html"]) == 0
    assert capsys.readouterr().out.strip().endswith("sample/report.html")
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert page.find("h1")[0].text == "sample"


def test_the_feedback_is_what_the_search_tells(folder):
    main(["report", "sample", "--html", "--out", "here.html"])
    told = Page((folder.parents[1] / "here.html").read_text(encoding="utf-8")).pack("task/1-3")
    assert "g++ failed" in told["kernels"]["k-nobuild"]["asi"]


def test_open_shows_it_in_the_browser(folder, monkeypatch):
    shown = []
    monkeypatch.setattr(webbrowser, "open", lambda address: shown.append(address) or True)
    assert main(["report", "sample", "--html", "--open"]) == 0
    assert shown == [(folder / "report.html").resolve().as_uri()]


def test_where_there_is_no_browser_the_file_is_named(folder, monkeypatch, capsys):
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    assert main(["report", "sample", "--html", "--open"]) == 2
    assert "open it yourself" in capsys.readouterr().err.replace("runs/sample/report.html", "it")


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--html", "--json"], "exclude each other"),
        (["--out", "x.html"], "--out goes with --html"),
        (["--open"], "--open goes with --html"),
        (["--html", "--out", "no/such/folder/x.html"], "choose a file with --out"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(folder, capsys, flags, word):
    assert main(["report", "sample", *flags]) == 2
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1


def test_a_run_is_not_changed_by_being_looked_at(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    main(["report", "sample", "--html", "--out", "elsewhere.html"])
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {
        p for p in before if "-shm" not in p.name and "-wal" not in p.name and before[p] != after.get(p)
    } == set()
