"""The device's half of a CUDA text for `load_inline`, without PyTorch's headers where they can be left out.

Those headers cost 45 s of a processor for each text, and kernels hardly ever need them: the functions for
the host do. They are blanked out, line by line, so that places in messages stay right.
"""

from __future__ import annotations

import re

_TORCH = re.compile(r"\b(?:torch|at|c10|pybind11|py)::|\b(?:TORCH|AT|C10|PYBIND11)_[A-Z]\w*|\bTensor\b")
_INCLUDE = re.compile(r"[ \t]*#[ \t]*include[ \t]*[<\"](?:torch|ATen|c10|pybind11)/[^\n]*")
_DEVICE = re.compile(r"\b__(?:global|device|constant|shared|managed)__\b")
_SKIPPED = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'|R\"(?P<d>[^(\s]*)\(.*?\)(?P=d)\"",
    re.DOTALL,
)
_OPENS = re.compile(r"\s*(?:(?:inline\s+)?namespace\b[\w\s:]*|extern\s*\"\s*\"\s*)\{\s*$")


def device_half(text: str) -> str | None:
    """`text` without what is for the host and speaks of PyTorch; None where both cannot be told apart.

    That is so where device code itself uses PyTorch's types, and where a kernel is a template: what it is
    instantiated with stands in the host's half.
    """
    whole = _INCLUDE.sub("", text)
    if not _TORCH.search(_bare(whole)):
        return whole
    kept = []
    for part in _parts(whole):
        bare = _bare(part)
        if not _TORCH.search(bare):
            kept.append(part)
        elif _DEVICE.search(bare) or bare.endswith("{"):  # a namespace of PyTorch's
            return None
        else:
            kept.append("\n" * part.count("\n"))
    left = "".join(kept)
    return None if re.search(r"\btemplate\b[^;{]*__global__", _bare(left)) else left


def _bare(text: str) -> str:
    """Comments and strings replaced by blanks of the same length; quotes stay."""
    return _SKIPPED.sub(lambda found: re.sub(r"[^\n\"]", " ", found[0]), text)


def _parts(text: str) -> list[str]:
    """Top-level declarations, with what is in namespaces and ``extern "C"`` blocks taken apart as well."""
    bare, parts, begun, depth = _bare(text), [], 0, 0
    for at, sign in enumerate(bare):
        if sign == "{":
            if depth == 0 and _OPENS.match(_last_line(bare[begun : at + 1])):
                parts.append(text[begun : at + 1])
                begun = at + 1
            else:
                depth += 1
        elif sign == "}" and depth == 0:  # of a namespace
            parts.append(text[begun : at + 1])
            begun = at + 1
        elif sign == "}":
            depth -= 1
        ends = (sign == "}" and not _goes_on(bare[at + 1 :])) or sign == ";"
        directive = sign == "\n" and re.match(r"\s*#", bare[begun:at]) and bare[at - 1] != "\\"
        if depth == 0 and at >= begun and (ends or directive):
            parts.append(text[begun : at + 1])
            begun = at + 1
    return [*parts, text[begun:]]


def _last_line(head: str) -> str:
    return head[max(head.rfind(";"), head.rfind("}")) + 1 :]


def _goes_on(rest: str) -> bool:
    """Whether a declaration goes on behind its brace, as a struct's or an array's does."""
    return bool(re.match(r"\s*[;,=)\w*&]*\s*;", rest[:200])) and bool(re.match(r"\s*;", rest[:200]))
