"""The situations that retrieval is measured on are real, and what helps in them is found."""

import os
import re
import shutil
import subprocess

import pytest
from situations import cpp_cases, situations

from kernelopt.retrieval.index import Index, build
from kernelopt.retrieval.meanings import meanings
from kernelopt.retrieval.notes import read_notes
from kernelopt.retrieval.situation import words_of
from kernelopt.retrieval.tokens import tokenize

EVERY = situations()
FLAGS = ["-O3", "-march=native", "-std=c++17", "-fopenmp", "-fPIC", "-shared", "-Wl,--no-undefined"]
NOTES = {note.name: note for note in read_notes()}


@pytest.fixture(scope="module")
def manual():
    return Index([build(list(NOTES.values()))])


def test_there_are_enough_of_them_and_none_twice():
    assert len(EVERY) >= 120
    assert len({situation.name for situation in EVERY}) == len(EVERY)
    assert 0.2 < sum(situation.held_out for situation in EVERY) / len(EVERY) < 0.45


def test_labels_name_notes_that_hold_for_the_target():
    known = {name for name, note in NOTES.items() for _ in note.targets}
    for situation in EVERY:
        there = [note for note in situation.relevant if note in known]
        assert there, (situation.name, situation.relevant)
        assert any(situation.target in NOTES[note].targets for note in there), situation.name


@pytest.mark.parametrize("form", ["query", "raw"])
@pytest.mark.parametrize("held_out", [False, True])
def test_nine_in_ten_find_help_among_the_first_three(manual, form, held_out):
    ranks, missed = [], []
    for situation in EVERY:
        if situation.held_out != held_out:
            continue
        found = [e.name for e in manual.search(getattr(situation, form), target=situation.target)]
        ranks.append(next((i for i, name in enumerate(found, 1) if name in situation.relevant), 0))
        if not ranks[-1]:
            missed.append((situation.name, situation.relevant, found))
    assert sum(rank > 0 for rank in ranks) / len(ranks) >= 0.9, missed
    assert sum(1 / rank for rank in ranks if rank) / len(ranks) >= 0.8, missed


def said_first(log):
    found = re.search(r"(?:error|undefined reference)[^\n]*", log)
    return found[0] if found else log


@pytest.mark.exhaustive
@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not on PATH")
@pytest.mark.parametrize("case", cpp_cases(), ids=lambda case: case["name"])
def test_gxx_still_says_so(case, tmp_path):
    (tmp_path / "k.cpp").write_text(case["source"])
    command = ["g++", *FLAGS, "k.cpp", "-o", "k.so"]
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode
    if (
        "12."
        in subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout
    ):
        assert said_first(done.stderr) == said_first(case["log"])


def test_words_of_a_log_are_neither_paths_nor_numbers():
    found = words_of("/usr/lib/k.cpp:3:12: error: 'rowMax' was not declared\n    3 |   ^~~~\n 0x7f1 line 12")
    assert "rowmax" in found and found["rowmax"] == 1
    assert not {"usr", "lib", "12", "3", "0x7f1"} & set(found)


@pytest.mark.parametrize(
    ("query", "added"),
    [
        ("amax", "reduction"),
        ('expected a ";"', "syntax"),
        ("the process ended (signal 7)", "alignment"),
        ("conv2d", "convolution"),
        ("the call timed out after 30 s", "hang"),
    ],
)
def test_a_situation_gains_the_words_that_notes_use_for_it(query, added):
    assert added in meanings(query)
    term = tokenize(added)[0]
    assert 0 < words_of(query)[term] < 1


def test_a_word_that_was_asked_for_keeps_its_weight():
    term = tokenize("reduction")[0]
    assert words_of("amax reduction")[term] == 1
    assert meanings("zyx") == ()
