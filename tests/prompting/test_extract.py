"""Replies in the shapes that models really produce."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.prompting.extract import extract_kernel, extract_text

MODULE = "import torch\n\nclass ModelNew(torch.nn.Module):\n    pass\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{MODULE}```",
        f"Here it is:\n\n```python\n{MODULE}```\nIt tiles the loop.",
        f"```\n{MODULE}```",
        f"````python\n{MODULE}````",
        MODULE,
        f"```python\n{MODULE}",  # never closed
        f"```python\r\n{MODULE}```".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"```python\nclass Model: pass\n```\nnow mine\n```python\n{MODULE}```",
    ],
)
def test_a_module_is_found_however_it_is_wrapped(reply):
    assert "class ModelNew" in extract_kernel(reply).source


def test_the_last_definition_wins():
    first, second = MODULE.replace("pass", "first = 1"), MODULE.replace("pass", "second = 2")
    found = extract_kernel(f"```python\n{first}```\nBetter:\n```python\n{second}```")
    assert "second" in found.source
    assert "first" not in found.source


@pytest.mark.parametrize(
    ("reply", "finish", "words"),
    [
        ("", "stop", "empty"),
        ("I cannot do that.", "stop", "no Python module"),
        ("```python\nclass ModelNew:\n    def forward(self, x", "length", "cut off"),
        ("```python\nclass ModelNew\n```", "stop", "not valid Python"),
        ("def f():\n    class ModelNew: pass\n", "stop", "top level"),
    ],
)
def test_a_reply_without_a_module_says_why(reply, finish, words):
    found = extract_kernel(reply, finish)
    assert not found.source
    assert words in found.problem


@given(st.text())
def test_any_text_is_answered_without_raising(reply):
    found = extract_kernel(reply)
    assert bool(found.source) != bool(found.problem)
    extract_text(reply)


def test_a_component_text_must_be_in_a_closed_fence():
    assert extract_text("Thoughts\n```\nUse float.\n```") == "Use float."
    assert extract_text("```\nUse flo") is None
    assert extract_text("just prose") is None
    assert extract_text("```\n\n```") is None
