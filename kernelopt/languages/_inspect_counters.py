"""Statics in C++ text that count calls (``memory``).

A number that each call sets anew before it counts, such as the next tile of work, or that is counted down
again, such as a depth of recursion, tells nothing of calls before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from kernelopt.languages._cpp_blocks import headers

MOST_COUNTERS = 20
"""Static numbers of one text that are looked at, and places of one of them."""
_COUNTER = re.compile(
    r"\bstatic\s+(?:thread_local\s+|volatile\s+)*(?:std::)?(?:atomic\s*<[^<>;]{0,80}>|atomic_\w+|(?:unsigned\s+|long\s+)*"
    r"(?:int|long|unsigned|short|size_t|u?int\d+_t))\s+(\w+)\s*(?:=|;|\{)"
)
_MAYBE = re.compile(r"\b(if|else|switch|case|default|catch)\b")
_LOOP = re.compile(r"\b(while|for|do)\b")


def counters(code: str) -> Iterator[tuple[int, str]]:
    """(place, name) of each question how often calls have come, as far as it is put to a static number."""
    for name in list(dict.fromkeys(_COUNTER.findall(code) if "static" in code else ()))[:MOST_COUNTERS]:
        text = _without_loops(code, name)
        counts = re.search(rf"\+\+\s*{name}\b|\b{name}\s*(\+\+|\+=\s*1\b|\.fetch_add)", text)
        asked = re.search(
            rf"\b(if|while)\s*\([^;{{}}]{{0,200}}\b{name}\b\s*(\+\+)?\s*\)?\s*([<>]=?|==|%)\s*([2-9]|\d\d)|"
            rf"\b{name}\b\s*(\+\+)?\s*([<>]=?|==|%)\s*([2-9]|\d\d)\d*[^;?]{{0,200}}\?",
            text,
        )
        if counts and asked and not _starts_over(text, name, min(counts.start(), asked.start())):
            yield asked.start(), name


def _without_loops(code: str, name: str) -> str:
    """The text without headers of loops that count from a value of their own: ``for (n = 0; ...)``."""
    loop = rf"\bfor\s*\(\s*{name}\s*=[^;{{}}]{{0,200}};[^;{{}}]{{0,200}};[^;{{}}()]{{0,200}}\)"
    return re.sub(loop, lambda match: "for " + " " * (len(match[0]) - 4), code)


def _starts_over(code: str, name: str, before: int) -> bool:
    return _is_set(code, name, before) or _is_counted_down(code, name)


def _is_set(code: str, name: str, before: int) -> bool:
    """Whether the block of that place gives the number a value first, whatever happened earlier."""
    around = [start for start, _ in headers(code, before)]
    value = rf"\b{name}\s*=\s*\d+\s*;|\b{name}\s*\.\s*store\s*\(\s*\d+"
    places = [match.start() for match in islice(re.finditer(value, code[:before]), MOST_COUNTERS)]
    return any(
        _is_sure(code, name, place) and next(headers(code, place), (None, ""))[0] in around
        for place in places
    )


def _is_counted_down(code: str, name: str) -> bool:
    """Whether the number goes down at as many places as it goes up, and for certain at one of them."""
    ups = len(re.findall(rf"\+\+\s*{name}\b|\b{name}\s*(?:\+\+|\+=\s*1\b|\.fetch_add)", code))
    downs = re.finditer(rf"--\s*{name}\b|\b{name}\s*(?:--|-=\s*1\b|\.fetch_sub)", code)
    places = [match.start() for match in islice(downs, MOST_COUNTERS)]
    return len(places) >= ups and any(_is_sure(code, name, place) for place in places)


def _is_sure(code: str, name: str, place: int) -> bool:
    """Whether a statement begins there that no condition can skip."""
    if not code[max(0, place - 200) : place].rstrip().endswith((";", "{", "}")):
        return False
    return not any(
        _MAYBE.search(text) or (_LOOP.search(text) and re.search(rf"\b{name}\b", text))
        for _, text in headers(code, place)
    )
