"""The bundled notes keep their form, and their code compiles and computes what it says."""

import math
import re
import subprocess

import pytest

from kernelopt.errors import ConfigError
from kernelopt.feedback import words
from kernelopt.inline import cpp
from kernelopt.retrieval.notes import parse, read_notes

NOTES = {note.name: note for note in read_notes()}
GOOD = "---\ntitle: T\ntargets: [cpu]\ntags: [a]\nerrors: ['x+']\nsource: S\n---\nText.\n"
PRELUDE = "#include <algorithm>\n#include <cmath>\n#include <cstdint>\n#include <cstring>\n"


def examples(note):
    return re.findall(r"```cpp\n(.*?)```", note.text, re.DOTALL)


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
def test_a_note_has_all_fields_and_50_to_250_words(note):
    assert note.title and note.tags and note.source
    assert set(note.targets) <= {"cpu", "cuda", "triton", "cupy", "npu"}
    assert 50 <= len(note.text.split()) <= 250
    assert note.text.count("```") % 2 == 0
    assert not any(re.search(pattern, "") for pattern in note.errors), "a pattern that matches everything"


def test_there_are_enough_notes_and_titles_are_unique():
    assert len(NOTES) >= 36
    assert len({note.title for note in NOTES.values()}) == len(NOTES)


def test_every_finding_of_the_evaluator_has_a_note():
    silent = {words.NO_PATTERN, words.FALLBACK, words.CUT_OFF}
    phrases = {value for name, value in vars(words).items() if name.isupper()} - silent
    patterns = [pattern for note in NOTES.values() for pattern in note.errors]
    assert not [p for p in phrases if not any(re.search(e, p, re.IGNORECASE) for e in patterns)]


def test_all_examples_compile_without_warnings(tmp_path):
    includes, bodies = PRELUDE, []
    for number, note in enumerate(NOTES.values()):
        for code in examples(note):
            includes += "".join(re.findall(r"^#include.*\n", code, re.MULTILINE))
            bare = re.sub(r"^#include.*\n", "", code, flags=re.MULTILINE).replace('extern "C" ', "")
            bodies.append(f'namespace n{number} {{\n#line 1 "{note.name}"\n{bare}}}\n')
    source = tmp_path / "all.cpp"
    source.write_text(includes + "".join(bodies))
    flags = ["-fsyntax-only", "-march=native", "-fopenmp", "-std=c++17", "-Wall", "-Wno-unused-function"]
    done = subprocess.run(["g++", *flags, str(source)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(bodies) >= 20


def test_the_approximations_are_as_exact_as_their_notes_say():
    exp, erf = (examples(NOTES[f"cpu/{name}"])[0] for name in ("exp-polynomial", "erf-gelu"))
    e, f = (
        f'extern "C" float {name}(float x) {{ return fast_{of}(x); }}\n'
        for name, of in (("e", "exp"), ("f", "erf"))
    )
    lib = cpp(PRELUDE + exp + erf + e + f)
    grid = [i / 64 for i in range(-80 * 64, 80 * 64)]
    assert max(abs(lib.e(x) / math.exp(x) - 1) for x in grid) < 3e-7
    assert max(abs(lib.f(x) - math.erf(x)) for x in grid) < 5e-7


def test_a_note_in_good_form():
    note = parse("cpu/t", GOOD)
    assert (note.title, note.targets, note.errors, note.text) == ("T", ("cpu",), ("x+",), "Text.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no head", "begin with YAML fields"),
        (GOOD.replace("title: T", "title: A: b"), "no YAML"),
        (GOOD.replace("title: T\n", ""), "'title'"),
        (GOOD.replace("source: S", "source: 3"), "'source'"),
        (GOOD.replace("[a]", "a"), "'tags' must be a list"),
        (GOOD.replace("[cpu]", "[]"), "'targets' is empty"),
        (GOOD.replace("x+", "x("), "no regular expression"),
        (GOOD.replace("source", "sauce"), "unknown field 'sauce'"),
        ("---\n- a\n---\nText", "its head must hold fields"),
    ],
)
def test_a_bad_note_is_one_line_that_names_it(text, says):
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        parse("cpu/t", text)
    assert str(caught.value).startswith("note cpu/t: ")
    assert "\n" not in str(caught.value)
