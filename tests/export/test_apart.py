"""Answers are taken apart into sources and look-ups, or refused in one sentence."""

import ast

import exported
import pytest

from kernelopt.errors import UsageError
from kernelopt.export.apart import take_apart
from kernelopt.languages import BuildRequest


def shared(text, name="kernel"):
    return BuildRequest("shared", name, {f"{name}.cpp": text})


def extension(text):
    return BuildRequest("torch_extension", "fast", {"main.cpp": f"#include <torch/extension.h>\n{text}"})


def apart(text, *requests):
    return take_apart(text, requests, "op", "pkg")


def test_a_call_becomes_a_lookup_and_its_import_that_of_the_package():
    found = take_apart(exported.ANSWER, [exported.REQUEST], "affine", "pkg")
    assert 'lib = library("affine_0")\n' in found.text
    assert "from pkg._runtime.native import library\n" in found.text
    assert "kernelopt" not in found.text and "extern" not in found.text
    assert [(one.name, one.request) for one in found.libraries] == [("affine_0", exported.REQUEST)]


def test_two_builds_are_told_apart_by_their_text_and_not_by_their_order():
    head = "from kernelopt.inline import cpp, strided\n"
    text = f"{head}b = cpp('int the_second;')\na = cpp('int the_first;', name='x')\n"
    found = apart(text, shared("int the_first;", "x"), shared("int the_second;"))
    assert [list(one.request.sources.values()) for one in found.libraries] == [
        ["int the_second;"],
        ["int the_first;"],
    ]
    assert found.text.endswith('b = library("op_0")\na = library("op_1")\n')
    assert "from pkg._runtime.native import strided as strided" in found.text


@pytest.mark.parametrize(
    "head",
    [
        "from torch.utils.cpp_extension import load_inline as b\nf = b(cpp_sources='int sum_it;')",
        "from torch.utils import cpp_extension\nf = cpp_extension.load_inline('fast', ['int sum_it;'])",
        "import torch.utils.cpp_extension as e\nf = e.load_inline('fast', ['int sum_it;'])",
        "import torch.utils.cpp_extension\nf = torch.utils.cpp_extension.load_inline('f', 'int sum_it;')",
    ],
)
def test_load_inline_is_found_under_every_name(head):
    found = apart(f"import torch\n{head}\n", extension("int sum_it;"))
    assert found.text.endswith('f = library("op_0")\n') and "cpp_extension" not in found.text
    assert found.libraries[0].python_module
    ast.parse(found.text)


def test_an_extension_that_registers_operators_is_loaded_as_a_library():
    head = "from torch.utils.cpp_extension import load_inline\n"
    text = f"{head}load_inline('f', ['int x_;'], is_python_module=False)\n"
    assert not apart(text, extension("int x_;")).libraries[0].python_module


def test_the_calls_may_stand_behind_letters_of_several_bytes():
    text = "from kernelopt.inline import cpp\nμ, lib = 'größe', cpp('int ü;')\n"
    assert apart(text, shared("int ü;")).text.endswith("μ, lib = 'größe', library(\"op_0\")\n")


@pytest.mark.parametrize(
    ("text", "requests", "said"),
    [
        (
            "from kernelopt.inline import cpp\nlibs = [cpp(t) for t in 'ab']\n",
            [shared("a"), shared("b")],
            "1 calls",
        ),
        ("import kernelopt\nx = kernelopt\n", [], "imports kernelopt"),
        (
            "def f():\n    from kernelopt.inline import cpp\n    return cpp('a')\n",
            [shared("a")],
            "taken apart",
        ),
        (
            "from kernelopt.inline import cpp\nx = cpp('a')\n",
            [BuildRequest("shared", "k", {"../k.cpp": "a"})],
            "odd name",
        ),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(text, requests, said):
    with pytest.raises(UsageError, match=said):
        apart(text, *requests)
