"""Instructions with what orders them, and the table of who issues when.

A node is one instruction. An `Edge` (source, sink, latency, distance) says that the sink may issue no earlier
than `latency` cycles after the source of `distance` iterations before. Latencies may be negative: a store of
8 bits reads its value six cycles after it issues.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kernelopt.npu.cycles.machine import Unit


@dataclass(frozen=True, slots=True)
class Edge:
    """One dependence; see the module."""

    source: int
    sink: int
    latency: int
    distance: int = 0


@dataclass(slots=True)
class Graph:
    """Instructions of a block and what orders them."""

    units: list[Unit] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    registers: list[int] = field(default_factory=list)
    """What each node's result takes of its unit's register file (`Unit.file`)."""

    def add(self, unit: Unit, registers: int = 0) -> int:
        """A new node; returns its number."""
        self.units.append(unit)
        self.registers.append(registers if unit.file else 0)
        return len(self.units) - 1

    def edge(self, source: int, sink: int, latency: int, distance: int = 0) -> None:
        """A new dependence."""
        self.edges.append(Edge(source, sink, latency, distance))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Issue cycle of each node."""

    times: tuple[int, ...]
    length: int
    """Cycles from the first issue to the one behind the last."""
    ii: int = 0
    """Initiation interval of a pipelined loop; 0 for straight code."""
    limit: str = ""
    """What bounds it: ``slot st``, ``recurrence``, ``latency``."""


class Table:
    """Who issues when; with `ii`, cycles are taken modulo it."""

    def __init__(self, slots: Mapping[str, int], ii: int = 0) -> None:
        self.slots, self.ii = slots, ii
        self.used: dict[tuple[int, str], list[int]] = defaultdict(list)
        self.taken: dict[int, tuple[int, str]] = {}
        self.memory: dict[int, list[int]] = defaultdict(list)
        self.blocking: dict[int, list[int]] = defaultdict(list)
        self.most_blocks = 0

    def row(self, cycle: int) -> int:
        """The row of a cycle."""
        return cycle % self.ii if self.ii else cycle

    def room(self, unit: Unit, cycle: int) -> str | None:
        """A free slot in that cycle, or None."""
        if unit.memory and self._blocked(unit, cycle):
            return None
        row = self.row(cycle)
        for slot in unit.slots:
            if len(self.used[row, slot]) < self.slots.get(slot, 0):
                return slot
        return None

    def _blocked(self, unit: Unit, cycle: int) -> bool:
        reach = max(self.most_blocks, 1)
        for back in range(reach):
            for other_blocks in self.blocking[self.row(cycle - back)]:
                if back < other_blocks:
                    return True
        return any(self.memory[self.row(cycle + ahead)] for ahead in range(unit.blocks))

    def put(self, node: int, unit: Unit, cycle: int, slot: str) -> None:
        """Place a node."""
        row = self.row(cycle)
        self.used[row, slot].append(node)
        self.taken[node] = (row, slot)
        if unit.memory:
            self.memory[row].append(node)
            if unit.blocks:
                self.blocking[row].append(unit.blocks)
                self.most_blocks = max(self.most_blocks, unit.blocks)

    def drop(self, node: int, unit: Unit) -> None:
        """Take it out again."""
        row, slot = self.taken.pop(node)
        self.used[row, slot].remove(node)
        if unit.memory:
            self.memory[row].remove(node)
            if unit.blocks:
                self.blocking[row].remove(unit.blocks)


def neighbours(count: int, edges: Sequence[Edge]) -> tuple[list[list[Edge]], list[list[Edge]]]:
    """Dependences by their sink, and by their source."""
    incoming: list[list[Edge]] = [[] for _ in range(count)]
    outgoing: list[list[Edge]] = [[] for _ in range(count)]
    for edge in edges:
        incoming[edge.sink].append(edge)
        outgoing[edge.source].append(edge)
    return incoming, outgoing
