"""The static look over the corpus: no honest kernel is suspected, and what only text shows is found.

Shortcuts in the arithmetic look like any other kernel; they are for the judge to find, not for this look.
"""

from pathlib import Path

import pytest

from kernelopt.languages._inspect import inspect

CORPUS = Path(__file__).parents[1] / "corpus"
HONEST, CHEATS = (sorted((CORPUS / kind).glob("*.py")) for kind in ("honest", "cheats"))
PLAIN = (
    "call counting",
    "caller's frames",
    "decoy",
    "deferral",
    "dispatcher override",
    "fallback",
    "forged",
    "hook of the interpreter",
    "imported reference",
    "instance override",
    "lazy",
    "library call",
    "patched",
    "result cache by identity",
    "result cache by pointer",
    "result cache by shape",
    "search of the heap",
    "shadowed modules",
    "words for the reflection model",
)
"""Beginnings of classes that name what they do; each file of theirs has to be found."""


def suspected(path: Path) -> list[str]:
    return [each.message for each in inspect(path.read_text(encoding="utf-8")) if each.suspect]


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.stem)
def test_honest_kernels_are_not_suspected(path: Path):
    assert suspected(path) == []


@pytest.mark.parametrize("path", CHEATS, ids=lambda path: path.stem)
def test_cheats_that_text_shows_are_suspected(path: Path):
    head = path.read_text(encoding="utf-8").splitlines()[:6]
    kind = head[0].removeprefix("# cheat:").strip()
    shown = any(line.startswith("# caught: static") for line in head) or kind.startswith(PLAIN)
    assert suspected(path) or not shown
