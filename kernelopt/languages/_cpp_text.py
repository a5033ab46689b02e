"""Calls of PyTorch's own operators in C++ text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kernelopt.languages._cpp_blocks import structs
from kernelopt.languages._operators import COMPUTING, COMPUTING_IN_CPP

_CALL = re.compile(r"\b(?:torch|at|\w+)(?:::\w+)*::(\w+)\s*\(|(\b\w+|[)\]])\s*\.\s*(\w+)\s*\(")
_TENSOR = re.compile(r"\bTensor\b[\s&]*(\w+)|\bauto\s*&*\s*(\w+)\s*=\s*(?:at|torch)::")
"""Names that are tensors for certain."""
_BEHIND = r"\s*(?:(?:const|noexcept|override|final)\s*){0,5}(?:->\s*[\w:<>,\s*&]{1,100})?\{"
"""What may stand between a function's parameters and its body."""
_STRUCT = re.compile(r"\b(?:struct|class)\s+(\w+)")
_TAKEN = re.compile(r"(?:&|=|\busing)\s*(?:torch|at)(?:::\w+)*::(\w+)\s*[;,)]")
_ALIAS = re.compile(r"\bnamespace\s+(\w+)\s*=\s*(?:::)?\s*(?:torch|at|c10)\b")


def framework_calls(code: str) -> Iterator[tuple[int, str, str]]:
    """(line from 0, call, operator) for each framework operator called in C++ `code` without comments.

    Text that names neither ``torch::`` nor ``at::`` nor an alias of them cannot reach PyTorch.
    """
    spaces = {"torch", "at", *(_ALIAS.findall(code) if "namespace" in code else ())}
    if not any(f"{space}::" in code for space in spaces):
        return
    own, tensors = _own_methods(code), {name for pair in _TENSOR.findall(code) for name in pair}
    for match in _CALL.finditer(code):
        space = match[0].split("::")[0].strip()
        work = space in spaces and match[1] in COMPUTING if match[1] else match[3] in COMPUTING_IN_CPP
        of_struct = match[3] in own and match[2] not in tensors
        if work and "vec::" not in match[0] and not of_struct:
            start = match.start(1) if match[1] else match.start(3)
            yield code.count("\n", 0, start), "".join(match[0].split()), match[1] or match[3]
    for match in _TAKEN.finditer(code):
        if match[1] in COMPUTING:
            yield code.count("\n", 0, match.start(1)), "".join(match[0].split()), match[1]


def defines(code: str, name: str) -> bool:
    """Whether a function, method or lambda of that name is written out in the text."""
    function = rf"[\w>][\s*&]+{name}\s*\([^;{{}}]{{0,500}}\){_BEHIND}"
    return re.search(rf"{function}|\b{name}\s*=\s*\[", code) is not None


def _own_methods(code: str) -> set[str]:
    """Methods named like operators that structs of the text define themselves."""
    bodies = structs(code) if "struct" in code or "class" in code else ""
    called = {match[3] for match in _CALL.finditer(code)} & COMPUTING_IN_CPP if bodies else set()
    return {name for name in called if defines(bodies, name) or _defines_outside(code, name)}


def _defines_outside(code: str, name: str) -> bool:
    """``acc_t WelfordAcc<acc_t>::var() const {``, of a struct of the text."""
    struct = r"\b(\w+)\s{0,9}(?:<[\w\s:,]{0,100}>)?\s{0,9}::\s{0,9}"
    method = rf"{struct}{name}\s*\([^;{{}}]{{0,500}}\){_BEHIND}"
    own = {*_STRUCT.findall(code)}
    return any(match[1] in own for match in re.finditer(method, code))
