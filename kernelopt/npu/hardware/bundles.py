"""Static look at what Peano made: bundles, slots and code size, from llvm-objdump and llvm-size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECTION = re.compile(r"^\s*\.text\S*\s+(\d+)\s+\d+", re.MULTILINE)
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_LINE = re.compile(r"^\s*[0-9a-f]+:\s+(.*)$")
VECTOR = re.compile(r"v(add|sub|mul|mac|msc|neg|abs|max|min|ge|lt|eq|sel|band|bor|cmp|acc)\w*")
"""Mnemonics that raise INSTR_VECTOR, as far as is known."""
NOTHING = re.compile(r"nop\w*$")


@dataclass(frozen=True, slots=True)
class Bundles:
    """Counts over a whole object file."""

    bundles: int = 0
    operations: int = 0
    """Without those that do nothing."""
    empty: int = 0
    """Bundles that do nothing at all: delays."""
    vector: int = 0
    """Bundles with a vector operation."""
    mnemonics: Mapping[str, int] = field(default_factory=dict)
    functions: Mapping[str, int] = field(default_factory=dict)
    """Function to its bundles."""

    def story(self) -> str:
        """One line for feedback."""
        if not self.bundles:
            return ""
        return (
            f"{self.bundles} bundles, {self.operations / self.bundles:.2f} operations each, "
            f"{self.empty} empty, {self.vector} with a vector operation"
        )


def read(disassembly: str) -> Bundles:
    """Count a listing of ``llvm-objdump -d --no-show-raw-insn``; other text has no bundles."""
    mnemonics: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    bundles = operations = empty = vector = 0
    function = ""
    for line in disassembly.splitlines():
        if opened := _FUNCTION.match(line):
            function = opened[1]
        elif found := _LINE.match(line):
            words = [part.split()[0] for part in found[1].split("//")[0].split(";") if part.split()]
            work = [word for word in words if not NOTHING.match(word)]
            bundles += 1
            functions[function] += 1
            operations += len(work)
            empty += not work
            vector += any(VECTOR.match(word) for word in work)
            mnemonics.update(work)
    return Bundles(bundles, operations, empty, vector, dict(mnemonics.most_common()), dict(functions))


def code_bytes(sizes: str) -> int:
    """Bytes of program in a listing of ``llvm-size -A``."""
    return sum(int(size) for size in _SECTION.findall(sizes))
