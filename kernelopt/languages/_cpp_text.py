"""C++ text inside an answer that only calls PyTorch's own operators again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kernelopt.languages._operators import COMPUTING, COMPUTING_IN_CPP

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_CALL = re.compile(r"\b(?:torch|at)(?:::\w+)*::(\w+)\s*\(|[\w)\]]\s*\.\s*(\w+)\s*\(")


def framework_calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line of the Python file, call) for each framework operator called in C++ strings of `tree`.

    Only strings that name ``torch::`` or ``at::`` are read; others cannot reach PyTorch.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or "{" not in node.value:
            continue
        if "torch::" in node.value or "at::" in node.value:
            text = _COMMENT.sub(_blank, node.value)
            yield from ((node.lineno + line, call) for line, call in _calls(text))


def _calls(text: str) -> Iterator[tuple[int, str]]:
    for match in _CALL.finditer(text):
        work = match[1] in COMPUTING if match[1] else match[2] in COMPUTING_IN_CPP
        if work and "vec::" not in match[0]:
            start = match.start(1) if match[1] else match.start(2)
            yield text.count("\n", 0, start), "".join(match[0].split())


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")
