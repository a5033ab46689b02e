"""Instructions of one piece of code, and who waits for whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from kernelopt.npu.cycles.costs import Cost
from kernelopt.npu.cycles.facts import Facts
from kernelopt.npu.cycles.gimple import Block
from kernelopt.npu.cycles.graph import Graph
from kernelopt.npu.cycles.machine import Unit
from kernelopt.npu.cycles.values import Address


@dataclass(slots=True)
class Access:
    """One access to memory in a graph."""

    node: int
    unit: Unit
    address: Address
    copy: int


@dataclass(slots=True)
class Lowered:
    """A straight piece of code; `calls` are cycles of routines that run within it."""

    graph: Graph = field(default_factory=Graph)
    calls: float = 0.0
    called: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ordered: bool = False
    """Some store keeps a later load of the next iteration waiting."""
    branch: int = -1
    """Node of the branch that ends it, -1 for none."""
    accesses: list[Access] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)


class Nodes:
    """The graph while it grows, and the nodes that each name waits for."""

    def __init__(self, parent: Facts, block: Block, copies: int, loop: bool) -> None:
        self.parent, self.block, self.copies, self.loop = parent, block, copies, loop
        self.machine = parent.machine
        self.out = Lowered()
        self.made: dict[str, list[int]] = {}
        """Name to the nodes that its value waits for."""
        self.late_uses: list[tuple[int, str, bool]] = []
        """(Node, phi, accumulates): uses of values of the iteration before the first copy."""
        self.alias: dict[str, str] = {}
        """Copies of phis: name to phi."""
        self.phis = {phi.target: phi for phi in block.phis}
        self.steps = {phi.target: parent.values.step(phi, block.number) for phi in block.phis}

    def _waits(self, name: str) -> list[int]:
        return self.made.get(name, [])

    def _emit(self, cost: Cost, operands: tuple[str, ...], target: str) -> None:
        if cost.note and cost.note not in self.out.notes:
            self.out.notes.append(cost.note)
        if cost.library:
            entry = self.machine.data["library"].get(cost.library) or self.machine.data["library"]["unknown"]
            self.out.calls += entry["cycles"]
            self.out.called.append(cost.library)
            cost = Cost([("alu", 1)])
        before: list[int] = []
        for place, (unit, count) in enumerate(cost.steps):
            words = self._registers(target, count) if place == len(cost.steps) - 1 else 2
            nodes = [self.out.graph.add(self.machine.units[unit], words) for _ in range(count)]
            for node in nodes:
                for producer in before:
                    self.out.graph.edge(producer, node, self._latency(producer, node, False))
                late = cost.accumulates and self.machine.units[unit].chain > 0
                for index, name in enumerate(operands):
                    if (place == 0 and not (cost.accumulates and index == 0)) or (late and index == 0):
                        self._use(name, node, late and index == 0)
            before = nodes
        if target:
            self.made[target] = (
                before if cost.steps else sorted({n for name in operands for n in self._waits(name)})
            )

    def _registers(self, target: str, count: int) -> int:
        """Registers of 256 bits that each of `count` nodes writes of a value."""
        if not target:
            return 0
        return max(1, self.parent.bits(target) // 256 // count)

    def _use(self, name: str, node: int, accumulates: bool) -> None:
        for producer in self._waits(name):
            self.out.graph.edge(producer, node, self._latency(producer, node, accumulates))
        phi = self.alias.get(name, name)
        if phi in self.phis and phi not in self.made and name not in self.made:
            self.late_uses.append((node, phi, accumulates))

    def _latency(self, producer: int, consumer: int, accumulates: bool) -> int:
        made, used = self.out.graph.units[producer], self.out.graph.units[consumer]
        latency = made.latency
        if made.chain and used.chain and (accumulates or used.reads_acc):
            latency = min(made.chain, used.chain) if made.name[-3:] == used.name[-3:] else made.latency - 2
        elif made.bypass and made.bypass in (used.bypass, used.reads_bypass):
            latency -= 1
        return latency - used.reads_late
