"""The corpus is what its headers say, and large enough."""

import ast

import pytest
from catalog import HERE, Entry, entries, load_task

from kernelopt.errors import ConfigError

CHEATS, HONEST = entries(HERE / "cheats"), entries(HERE / "honest")


def by_name(entry):
    return entry.path.stem


def test_there_are_enough_cheats_of_enough_classes():
    assert len(CHEATS) >= 60
    assert len({entry.cls for entry in CHEATS}) >= 35
    assert {entry.kind for entry in CHEATS} == {"cheat"}


def test_there_are_enough_honest_kernels():
    assert len(HONEST) >= 25
    assert {entry.kind for entry in HONEST} == {"honest"}


def test_no_two_answers_are_the_same():
    texts = [entry.source.split("\n", 1)[1] for entry in (*CHEATS, *HONEST)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("entry", [*CHEATS, *HONEST], ids=by_name)
def test_an_answer_defines_a_model_and_names_a_task_that_there_is(entry):
    classes = [node.name for node in ast.walk(ast.parse(entry.source)) if isinstance(node, ast.ClassDef)]
    assigned = "ModelNew =" in entry.source
    assert "ModelNew" in classes or assigned
    task = load_task(entry)
    assert "class Model" in task.source
    assert entry.caught in ("", "static", "run")
    assert entry.needs in ("", "bwrap", "docker")


def test_a_header_is_read(tmp_path):
    path = tmp_path / "one.py"
    header = "# cheat: patched clock: sets it: back\n# task: 1/12\n# caught: static: it gains nothing\n"
    path.write_text(f"{header}import time\n# needs: no")
    assert entries(tmp_path) == [Entry(path, "cheat", "patched clock", "sets it: back", "1/12", "static", "")]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("import torch", "first line"),
        ("# cheat: no sentence\n# task: 1/12", "first line"),
        ("# trick: a: b\n# task: 1/12", "first line"),
        ("# cheat: a: b\nimport torch", "second line"),
        ("# cheat: a: b\n# needs: bwrap\n# task: 1/12", "second line"),
        ("# cheat: a: b\n# task: 1/12\n# weather: fine", "weather"),
    ],
)
def test_a_malformed_header_is_refused(tmp_path, header, words):
    (tmp_path / "bad.py").write_text(header)
    with pytest.raises(ConfigError, match=words):
        entries(tmp_path)


def test_a_local_task_and_a_bundled_one_are_found():
    def task(task_id):
        return load_task(Entry(HERE, "cheat", "c", "s", task_id))

    assert task("local/softmax").name == "softmax"
    assert task("1/12").size == "cpu"
