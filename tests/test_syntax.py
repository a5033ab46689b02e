"""Whatever text a model sends, reading it gives a tree or a SyntaxError, in any number of threads."""

import ast
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kernelopt._syntax import parse
from kernelopt.prompting.extract import extract_kernel


@pytest.mark.parametrize("source", ["-" * 100_000 + "1", "1+" * 100_000 + "1", "(" * 5000, "\0", "def"])
def test_what_cannot_be_read_is_a_syntax_error(source):
    with pytest.raises(SyntaxError):
        parse(source)


def test_a_reply_that_is_nested_beyond_hope_is_a_failed_answer():
    found = extract_kernel(f"```python\nclass ModelNew:\n    x = {'-' * 100_000}1\n```")
    assert not found.source
    assert "not valid Python" in found.problem


def test_one_thread_reads_at_a_time(monkeypatch):
    """Up to Python 3.11.7 two at once could fail, which ended a search."""
    reading, most, original = [], [], ast.parse

    def slow(source):
        reading.append(source)
        most.append(len(reading))
        time.sleep(0.01)
        reading.pop()
        return original(source)

    monkeypatch.setattr(ast, "parse", slow)
    with ThreadPoolExecutor(4) as pool:
        assert all(tree.body for tree in pool.map(parse, ["x = 1"] * 12))
    assert max(most) == 1


def test_reading_warns_of_nothing():
    assert parse("x = '\\d'; y = 1 is 1").body
