"""Where in the sources a message belongs, and the lines around it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Place = tuple[str, int]
"""File name and line, from 1; ``("", 0)`` where there is none."""
NOWHERE: Place = ("", 0)

_AROUND = 2
_QUOTED = re.compile(r"'(\.?[A-Za-z_%][\w.:%$]{2,80})'")
_NAMED = re.compile(r"(?:[Ff]unction|reference to|[Vv]ariable|symbol:?) [`'‘]([A-Za-z_$][\w$]{0,200})['’]")
_MANGLED = re.compile(r"_Z(N?)((?:\d{1,3}[A-Za-z_]\w*)+)")


def base(path: str) -> str:
    """The name of a file without its folders."""
    return re.split(r"[/\\]", path.strip())[-1]


def plain_name(symbol: str) -> str:
    """A function as written in the source; the symbol itself where it is not mangled."""
    found = _MANGLED.match(symbol)
    if not found:
        return symbol
    rest, name = found[2], symbol
    while number := re.match(r"\d{1,3}", rest):
        start, length = number.end(), int(number[0])
        if length == 0 or len(rest) < start + length:
            break
        name, rest = rest[start : start + length], rest[start + length :]
        if not found[1]:
            break
    return name


def named_function(message: str) -> str:
    """The function that a message of ptxas or the linker is about, as written in the source, or ``""``."""
    found = _NAMED.search(message)
    return plain_name(found[1]) if found else ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Texts by file name, split into lines once."""

    files: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Sources:
        """From file name (folders are dropped) to text."""
        return cls({base(str(name)): str(text).split("\n") for name, text in texts.items()})

    def text(self, place: Place) -> str | None:
        """The line at a place, or None."""
        name, line = place
        lines = self.files.get(name, ())
        return lines[line - 1] if 0 < line <= len(lines) else None

    def around(self, place: Place) -> str:
        """Lines around a place, numbered, a ``>`` at the one; ``""`` where it is not in the sources."""
        name, line = place
        if self.text(place) is None:
            return ""
        lines = self.files[name]
        shown = range(max(line - _AROUND, 1), min(line + _AROUND, len(lines)) + 1)
        width = len(str(shown[-1]))
        return "\n".join(f"{'>' if i == line else ' '} {i:{width}} | {lines[i - 1]}".rstrip() for i in shown)

    def find(self, block: Sequence[str]) -> Place:
        """The last of consecutive lines, wherever they stand; indentation does not count."""
        wanted = [line.strip() for line in block]
        if not any(wanted):
            return NOWHERE
        for name, lines in self.files.items():
            for i, line in enumerate(lines):
                here = lines[i : i + len(wanted)] if line.strip() == wanted[0] else []
                if [part.strip() for part in here] == wanted:
                    return name, i + len(wanted)
        return NOWHERE

    def function(self, name: str) -> Place:
        """The first line where a function of this name is declared or, failing that, called."""
        return self._first(rf"\b{re.escape(name)}\s*\(") if name else NOWHERE

    def definition(self, name: str) -> Place:
        """The first line with ``def name``."""
        return self._first(rf"^\s*def {re.escape(name)}\b")

    def enclosing(self, place: Place) -> str:
        """Name of the Python function around a place, or ``""``."""
        name, line = place
        for text in reversed(self.files.get(name, ())[:line]):
            if found := re.match(r"\s*def (\w+)", text):
                return found[1]
        return ""

    def inline_ptx(self, message: str) -> Place:
        """The only line of the sources whose string holds a word that ptxas quotes."""
        for token in _QUOTED.findall(message):
            edge = "" if token.startswith(".") else r"(?<![\w.])"
            word = re.compile(rf"{edge}{re.escape(token)}(?!\w)")
            hits = [
                (name, i)
                for name, lines in self.files.items()
                for i, line in enumerate(lines, 1)
                if token in line and ('"' in line or name.endswith(".ptx")) and word.search(line)
            ]
            if len(hits) == 1:
                return hits[0]
        return NOWHERE

    def _first(self, pattern: str) -> Place:
        form = re.compile(pattern)
        for name, lines in self.files.items():
            for i, line in enumerate(lines, 1):
                if form.search(line):
                    return name, i
        return NOWHERE
