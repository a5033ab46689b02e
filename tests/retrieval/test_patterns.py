"""Patterns are only compiled where they can match, and match exactly as they would without that."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.retrieval.notes import read_notes
from kernelopt.retrieval.patterns import demands, find

PIECES = [
    "abc",
    "Def",
    "x",
    ".",
    r"\d+",
    "[abc]+",
    "[^]x]",
    "(one|two)",
    "(?:a(b|c)d)?",
    "opt?",
    "|",
    r"\.",
    r"\(",
    "u{2}",
]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("was not declared", [("was not declared",)]),
        ("undefined (symbol|reference) to", [("undefined ", " to")]),
        ("colou?r of", [("colo", "r of")]),
        ("one|other thing", [("one",), ("other thing",)]),
        (r"std::\w+ is", [("std::", " is")]),
        (r"a\(b\)c", [("a(b)c",)]),
        ("[Tt]ail .* wrong", [("ail ", " wrong")]),
        ("(?i)x", [()]),
        ("(a|b)", [()]),
    ],
)
def test_what_a_pattern_demands(pattern, words):
    assert list(demands(pattern)) == words


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.text("abcdefxoneptwur.( 1", max_size=30), st.data())
def test_no_match_is_lost(pieces, text, data):
    pattern = "".join(pieces)
    match = re.compile(pattern, re.IGNORECASE).search(text)
    assert find([(0, pattern)], text)[0] == ([0] if match and match[0] else [])


@pytest.mark.parametrize("note", [note for note in read_notes() if note.errors], ids=lambda note: note.name)
def test_patterns_of_notes_are_rarely_compiled_for_nothing(note):
    """A pattern that demands nothing is compiled in every process: 0.2 ms each."""
    for pattern in note.errors:
        assert len(pattern) < 400
        re.compile(pattern)
        assert demands(pattern)
