"""Reply → code: what a model wrote, taken out of what it said around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kernelopt._syntax import parse

_FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<tag>[^\n`]*)\n(?P<body>.*?)(?:^(?P=ticks)`*[ \t]*$|\Z)", re.M | re.S
)

_CPP_TAGS = ("", "c", "cc", "cpp", "c++", "cxx", "h", "hpp", "aie")


@dataclass(frozen=True, slots=True)
class Extraction:
    """The module text, or why there is none."""

    source: str = ""
    problem: str = ""
    """One sentence; empty when `source` is usable."""


def fences(text: str) -> list[tuple[str, str]]:
    """Every fenced block as (tag, body); an unclosed last fence runs to the end."""
    text = text.replace("\r\n", "\n")
    return [(m["tag"].strip().lower(), m["body"]) for m in _FENCE.finditer(text)]


def extract_kernel(reply: str, finish_reason: str = "stop") -> Extraction:
    """The module that defines `ModelNew`: the last fence that does, else the bare reply.

    The last one wins because models quote the task first and correct themselves later.
    """
    if not reply.strip():
        return Extraction(problem="the reply is empty")
    bodies = [body for tag, body in fences(reply) if tag in ("", "python", "py", "python3")]
    candidates = [*reversed(bodies), reply]
    for body in candidates:
        if _defines(body, "ModelNew"):
            return Extraction(source=body.strip() + "\n")
    return Extraction(problem=_problem(candidates, finish_reason))


def extract_cpp(reply: str, function: str, finish_reason: str = "stop") -> Extraction:
    """The C++ file that defines `function`: the last fence that does, else the bare reply."""
    if not reply.strip():
        return Extraction(problem="the reply is empty")
    blocks = fences(reply)
    bodies = [body for tag, body in blocks if tag in _CPP_TAGS]
    defined = re.compile(rf"\b{re.escape(function)}\s*\([^;{{}}]*\)\s*\{{")
    for body in [*reversed(bodies), *([] if blocks else [reply])]:
        if defined.search(body):
            return Extraction(source=body.strip() + "\n")
    cut = "the reply was cut off before" if finish_reason == "length" else "the reply holds no C++ file with"
    return Extraction(problem=f"{cut} the function {function}")


def extract_text(reply: str) -> str | None:
    """A component's new text: the last fenced block, else None (a reply without one is not used)."""
    found = [body.strip() for _, body in fences(reply) if body.strip()]
    closed = reply.replace("\r\n", "\n").rstrip().endswith("```")
    return found[-1] if found and closed else None


def _defines(source: str, name: str) -> bool:
    try:
        tree = parse(source)
    except SyntaxError:
        return False
    return any(getattr(node, "name", None) == name for node in tree.body)


def _problem(candidates: list[str], finish_reason: str) -> str:
    for body in candidates:
        if "class ModelNew" in body:
            return _syntax_problem(body, finish_reason)
    if finish_reason == "length":
        return "the reply was cut off before a module that defines ModelNew was complete"
    return "the reply holds no Python module that defines ModelNew at its top level"


def _syntax_problem(body: str, finish_reason: str) -> str:
    cut = " (the reply was cut off)" if finish_reason == "length" else ""
    try:
        parse(body)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        return f"the module is not valid Python{cut}: {error.args[0]}{line}"
    return f"ModelNew is not defined at the module's top level{cut}"
