"""`kernelopt docs`: search notes, add, list, rebuild and remove manuals."""

import json

import pytest

from kernelopt.cli.main import main
from kernelopt.retrieval.index import open_index


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    open_index.cache_clear()
    yield
    open_index.cache_clear()


@pytest.fixture
def manual(tmp_path):
    file = tmp_path / "guide.md"
    file.write_text(
        "# Copies\n\nA zyxwave copy is quick.\n\n# Faults\n\n" + "Faults of a zyxwave are many. " * 10
    )
    return file


def run(capsys, *arguments):
    code = main(["docs", *map(str, arguments)])
    out, err = capsys.readouterr()
    open_index.cache_clear()
    return code, out, err


def test_search_prints_excerpts_with_their_source(capsys):
    code, out, _ = run(capsys, "search", "'expff' was not declared in this scope")
    assert code == 0
    assert "[cpu/undeclared-identifier; " in out


def test_json_names_the_note_and_k_limits(capsys):
    code, out, _ = run(capsys, "search", "softmax", "--json", "-k", 2)
    found = json.loads(out)
    assert code == 0 and len(found) == 2
    assert set(found[0]) == {"title", "text", "source", "score", "name"}
    assert "softmax" in found[0]["text"].lower()


def test_nothing_found_is_exit_code_1(capsys):
    code, out, err = run(capsys, "search", "zyxwqv")
    assert (code, out) == (1, "")
    assert "nothing fits" in err
    assert run(capsys, "search", "zyxwqv", "--json")[:2] == (1, "[]\n")


def test_a_manual_from_adding_to_removing(capsys, manual):
    assert run(capsys, "add", manual, "--target", "cuda")[1] == "guide: 2 sections of 1 file\n"
    assert "Copies" in run(capsys, "search", "zyxwave quick", "--target", "cuda")[1]
    assert run(capsys, "search", "zyxwave quick")[0] == 1
    assert run(capsys, "list")[1].split()[:3] == ["guide", "2", "sections"]
    assert json.loads(run(capsys, "list", "--json")[1])[0]["path"] == str(manual)
    manual.write_text("# Copies\n\nA flurble now.\n")
    assert "1 sections of manuals" in run(capsys, "rebuild")[1]
    assert "flurble" in run(capsys, "search", "flurble", "--target", "cuda")[1]
    manual.unlink()
    code, _, err = run(capsys, "rebuild")
    assert code == 0 and "its text is kept" in err
    assert run(capsys, "remove", "guide")[1] == "guide: removed\n"
    assert "no manuals yet" in run(capsys, "list")[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("search", "x", "--target", "tpu"), "choose from cpu, cuda"),
        (("add", "absent.pdf"), "there is no such file or folder"),
        (("remove", "absent"), "no manual 'absent'"),
        (("search", "x", "-k", "0"), "-k"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, arguments, says):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err and len(err.splitlines()) == 1


def test_escapes_of_a_manual_do_not_reach_the_terminal(capsys, manual):
    manual.write_text("# Copies\n\nA zyxwave \x1b[2J copy.\n")
    run(capsys, "add", manual)
    assert "\x1b" not in run(capsys, "search", "zyxwave")[1]
