"""What the account holds: cycles of a piece of code, and when its vector instructions issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernelopt.npu.cycles.graph import Graph, Schedule


@dataclass(slots=True)
class Pattern:
    """Cycles of a piece of code, and in which of them a vector instruction issues."""

    cycles: float = 0.0
    pulses: tuple[int, ...] = ()


@dataclass(slots=True)
class BlockCost:
    """One basic block, or one loop of one block."""

    number: int
    line: int
    runs: float
    """Times it is entered, a call of the kernel."""
    pattern: Pattern
    """One time through: for a loop all its iterations."""
    iterations: float = 1.0
    ii: int = 0
    unroll: int = 1
    limit: str = ""
    why: str = ""
    """What kept a loop from being pipelined."""
    instructions: int = 0
    notes: list[str] = field(default_factory=list)
    loop: bool = False
    whole: bool = False
    """Unrolled completely: all iterations are one block."""

    @property
    def cycles(self) -> float:
        """All its cycles of one call of the kernel."""
        return self.runs * self.pattern.cycles

    @property
    def vector(self) -> float:
        """All its cycles with a vector instruction."""
        return self.runs * len(self.pattern.pulses)

    def row(self) -> Mapping[str, Any]:
        """As it stands in `Cycles.blocks`."""
        return {
            "line": self.line, "runs": round(self.runs, 3), "iterations": round(self.iterations, 2),
            "cycles": round(self.cycles, 1), "vector": round(self.vector, 1), "ii": self.ii,
            "unroll": self.unroll, "limit": self.limit, "why": self.why, "instructions": self.instructions,
        }  # fmt: skip


def pulses(graph: Graph, schedule: Schedule) -> tuple[int, ...]:
    """Cycles in which something with an event issues."""
    return tuple(sorted({time for time, unit in zip(schedule.times, graph.units, strict=True) if unit.event}))


def again(pulses: tuple[int, ...], length: float, rounds: int) -> Pattern:
    """The same cycles so many times in a row."""
    every = tuple(int(turn * length) + pulse for turn in range(rounds) for pulse in pulses)
    return Pattern(length * rounds, every)


def steady(graph: Graph, schedule: Schedule, rounds: int, calls: int) -> Pattern:
    """Overlapping rounds of a pipelined loop."""
    once = pulses(graph, schedule)
    every = sorted({turn * schedule.ii + pulse for turn in range(rounds) for pulse in once})
    return Pattern((rounds - 1) * schedule.ii + schedule.length + calls, tuple(every))


def then(first: Pattern, second: Pattern) -> Pattern:
    """One piece of code after another."""
    moved = tuple(int(first.cycles) + pulse for pulse in second.pulses)
    return Pattern(first.cycles + second.cycles, first.pulses + moved)
