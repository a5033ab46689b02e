"""Calls of PyTorch's own operators in C++ text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kernelopt.languages._operators import COMPUTING, COMPUTING_IN_CPP

_CALL = re.compile(r"\b(?:torch|at|\w+)(?:::\w+)*::(\w+)\s*\(|[\w)\]]\s*\.\s*(\w+)\s*\(")
_TAKEN = re.compile(r"(?:&|=|\busing)\s*(?:torch|at)(?:::\w+)*::(\w+)\s*[;,)]")
_ALIAS = re.compile(r"\bnamespace\s+(\w+)\s*=\s*(?:::)?\s*(?:torch|at|c10)\b")


def framework_calls(code: str) -> Iterator[tuple[int, str, str]]:
    """(line from 0, call, operator) for each framework operator called in C++ `code` without comments.

    Text that names neither ``torch::`` nor ``at::`` nor an alias of them cannot reach PyTorch.
    """
    spaces = {"torch", "at", *(_ALIAS.findall(code) if "namespace" in code else ())}
    if not any(f"{space}::" in code for space in spaces):
        return
    for match in _CALL.finditer(code):
        space = match[0].split("::")[0].strip()
        work = space in spaces and match[1] in COMPUTING if match[1] else match[2] in COMPUTING_IN_CPP
        if work and "vec::" not in match[0]:
            start = match.start(1) if match[1] else match.start(2)
            yield code.count("\n", 0, start), "".join(match[0].split()), match[1] or match[2]
    for match in _TAKEN.finditer(code):
        if match[1] in COMPUTING:
            yield code.count("\n", 0, match.start(1)), "".join(match[0].split()), match[1]
