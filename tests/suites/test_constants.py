"""Constants are read and rewritten in place, without running the module."""

from __future__ import annotations

import ast
import keyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.errors import TaskError
from kernelopt.suites._constants import constants, rewrite, strip

ORDINARY = """import torch
M = 16384 * 4  # rows
K: int = 2048
H, W = 64, 96
scale = -1.5
kernel_size = (3, 5)
sizes = [1024] * 3
name = "gpt2"
flag = True
nothing = None
"""


def test_reads_literals_and_arithmetic_on_them() -> None:
    assert constants(ORDINARY) == {
        "M": 65536,
        "K": 2048,
        "H": 64,
        "W": 96,
        "scale": -1.5,
        "kernel_size": (3, 5),
        "sizes": [1024, 1024, 1024],
        "name": "gpt2",
        "flag": True,
        "nothing": None,
    }


def test_reads_nested_tables() -> None:
    text = 'SIZES = {"cpu": {"M": 4, "shape": (2, 3)}, "gpu": {"M": 8}}\n'
    assert constants(text) == {"SIZES": {"cpu": {"M": 4, "shape": (2, 3)}, "gpu": {"M": 8}}}


@pytest.mark.parametrize(
    "text",
    [
        "shape = (M, 1)",  # follows by itself when M changes
        "x = f(3)",
        "x = [i for i in range(3)]",
        "x = 1\nx = 2",
        "x = 1\nx += 2",
        "x = 1\nfor x in range(3): pass",
        "x = 1\nif True:\n    x = 2",
        "x = 1\ndef x(): pass",
        "x = 1\nimport x",
        "x = 1\ndef f():\n    global x\n    x = 2",
        "x = y = 1",
        "x = 1 / 0",
        "x = 1 if True else 2",
        "x: int",
        "def f():\n    x = 1",
        "x = f'{1}'",
        "x = -'a'",
        "x = 'a' * 3",
        "x = {**{}}",
    ],
)
def test_what_is_computed_bound_twice_or_local_is_no_constant(text: str) -> None:
    assert "x" not in constants(text)
    assert "shape" not in constants(text)


@pytest.mark.parametrize("text", ["x = [0] * 10**9", "x = 9 ** 9 ** 9", "x = 2**62 * 2**62", "x = 2 ** -1"])
def test_no_constant_is_worth_filling_the_memory(text: str) -> None:
    assert constants(text) == {}


def test_rewriting_changes_the_values_and_nothing_else() -> None:
    text = "# größe: ½\r\nM = 16384 * 4  # rows\nH, W = 64, (96)\nshape = (\n    M, 1)\nk = (3,\n     5)\n"
    changed = rewrite(text, {"W": 8, "M": 16, "k": (1, 1)})
    assert changed == "# größe: ½\r\nM = 16  # rows\nH, W = 64, (8)\nshape = (\n    M, 1)\nk = (1, 1)\n"


def test_rewriting_an_unknown_constant_names_those_there_are() -> None:
    with pytest.raises(TaskError, match="no module-level constant 'N' to set; constants here: M, K"):
        rewrite("M = 1\nK = 2\n", {"N": 3})


_names = st.from_regex(r"[a-zA-Z_é][a-z0-9_é]{0,6}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name) and name not in ("f", "os")
)
_scalars = st.one_of(
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
_values = st.one_of(_scalars, st.lists(_scalars, max_size=3), st.lists(_scalars, max_size=3).map(tuple))
_lines = st.sampled_from(
    ["", "# é comment", "import os", "def f():\n    return 'ß'", '"""text\n= 3"""', "\x0c"]
)


@settings(deadline=None)
@given(
    given_values=st.dictionaries(_names, _values, min_size=1, max_size=5),
    new=_values,
    filler=st.lists(_lines, min_size=6, max_size=6),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_a_rewritten_constant_is_read_back_and_the_others_stay(
    given_values: dict[str, object], new: object, filler: list[str], newline: str
) -> None:
    lines = [f"{name} = {value!r}" for name, value in given_values.items()]
    text = newline.join(part for pair in zip(filler, [*lines, *filler], strict=False) for part in pair)
    known = {name: value for name, value in constants(text).items() if name in given_values}
    assert known == given_values
    for name in known:
        changed = rewrite(text, {name: new})
        assert constants(changed)[name] == new
        assert {**constants(changed), name: 0} == {**constants(text), name: 0}
        ast.parse(changed)


def test_stripping_leaves_a_module_that_never_had_the_assignment() -> None:
    table = 'TAGS = ("a",)\nSIZES = {\n    "cpu": {},\n}\n'
    text = f'"""Doc."""\n\nimport torch\n\n{table}M = 1\n\n\nclass A: pass\n'
    assert strip(text, ("SIZES", "TAGS")) == '"""Doc."""\n\nimport torch\n\nM = 1\n\n\nclass A: pass\n'


def test_stripping_removes_the_blank_lines_that_would_meet() -> None:
    assert strip("a = 1\n\nTAGS = ()\n\nb = 2\n", ("TAGS",)) == "a = 1\n\nb = 2\n"
    assert strip("TAGS = ()\n\nb = 2\n", ("TAGS",)) == "b = 2\n"
    assert strip("a = 1\nTAGS = ()\n\n\nb = 2", ("TAGS",)) == "a = 1\n\n\nb = 2"
    assert strip("a = 1\r\nTAGS = ()\r\nb = 2\r\n", ("TAGS",)) == "a = 1\r\nb = 2\r\n"


def test_stripping_keeps_a_line_that_holds_something_else() -> None:
    assert strip("TAGS = (); b = 2\n", ("TAGS",)) == "TAGS = (); b = 2\n"


def test_stripping_nothing_changes_nothing() -> None:
    assert strip(ORDINARY, ("SIZES", "TAGS")) == ORDINARY


@pytest.mark.parametrize("text", ["x = (", "x = '\0'", "(" * 5000])
def test_text_that_is_no_python_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SyntaxError):
        constants(text)


def test_a_hopelessly_long_sum_is_no_constant_or_no_python() -> None:
    for terms in (100, 900, 20_000):
        try:
            found = constants(f"x = {'+'.join('1' * terms)}\ny = 2\n")
        except SyntaxError:
            continue
        assert found in ({"x": terms, "y": 2}, {"y": 2})
