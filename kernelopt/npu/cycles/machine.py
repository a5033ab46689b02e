"""A machine description: the data that every cost is made of (``kernelopt/npu/machines/NAME.json``)."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernelopt.errors import UnknownName

FOLDER = Path(__file__).resolve().parents[1] / "machines"


@dataclass(frozen=True, slots=True)
class Unit:
    """One kind of instruction: where it issues and when its result is there. Cycles throughout."""

    name: str
    slots: tuple[str, ...]
    """It takes one of these issue slots."""
    latency: int
    """Issue to the first issue of a reader."""
    memory: str = ""
    """``load``, ``store`` or nothing."""
    stage: int = 0
    """Pipeline stage in which memory is touched."""
    blocks: int = 0
    """A read-modify-write: no other access may issue for so long."""
    reads_late: int = 0
    """How much later than its issue it reads the value that it stores."""
    event: bool = False
    """It raises INSTR_VECTOR."""
    bypass: str = ""
    """Its result goes one cycle earlier to readers of this forwarding path; it reads from the path too."""
    reads_bypass: str = ""
    """It reads from this path but does not write to it."""
    chain: int = 0
    """Latency to the accumulator operand of the same unit, where that is read later than the others."""
    file: str = ""
    """Register file of its result, where that is one that runs short: ``vector`` or ``accumulator``."""
    reads_acc: int = 0
    """All its operands are accumulators, read so much later."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A whole description: units by name, and the rest as it stands in the file."""

    name: str
    title: str
    slots: Mapping[str, int]
    units: Mapping[str, Unit]
    data: Mapping[str, Any]

    def compiler(self, name: str) -> Mapping[str, Any]:
        """What a compiler does with loops: keys ``unroll``, ``pipeline_from``, ``drain`` ..."""
        found: Mapping[str, Any] = self.data["compilers"][name]
        return found


def names() -> list[str]:
    """Machines that are described."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


@functools.lru_cache(maxsize=8)
def load(name: str) -> Machine:
    """The description of that name.

    Raises:
        UnknownName: there is none.
    """
    if name not in names():
        raise UnknownName(f"machine: no description of {name!r}; there are: {', '.join(names())}")
    data = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    known = set(Unit.__dataclass_fields__) - {"name"}
    units: dict[str, Unit] = {}
    for key, row in data["units"].items():
        facts: dict[str, Any] = {name: value for name, value in row.items() if name in known}
        units[key] = Unit(**{**facts, "name": key, "slots": tuple(row["slots"])})
    return Machine(data["name"], data["title"], data["slots"], units, data)
