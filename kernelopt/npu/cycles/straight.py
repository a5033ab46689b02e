"""List scheduling: straight code on issue slots and in register files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kernelopt.npu.cycles.graph import Edge, Graph, Schedule, Table, neighbours

NEVER = -(10**6)
"""A moment before everything."""


class _Registers:
    """Which registers of each file are free, and since when.

    A register is taken from the moment its value is written to the moment its last reader issues.
    """

    def __init__(self, graph: Graph, files: Mapping[str, int]) -> None:
        self.graph = graph
        self.free = {name: [NEVER] * size for name, size in files.items()}
        self.readers = [0] * len(graph.units)
        self.carried: set[int] = set()
        for edge in graph.edges:
            if graph.registers[edge.source]:
                if edge.distance:
                    self.carried.add(edge.source)
                else:
                    self.readers[edge.source] += 1
        self.last: dict[int, int] = {}

    def fits(self, node: int) -> bool:
        """There are registers for its result, free already or by a moment that is known."""
        unit = self.graph.units[node]
        return (
            self.graph.registers[node] <= len(self.free.get(unit.file, ())) or not self.graph.registers[node]
        )

    def take(self, node: int) -> int:
        """Take them; the earliest issue that they allow. Too few: it goes on as if there were more."""
        unit, need = self.graph.units[node], self.graph.registers[node]
        pool = self.free.get(unit.file, [])
        pool.sort()
        taken = [pool.pop(0) for _ in range(min(need, len(pool)))]
        return max([NEVER, *taken]) - unit.latency + 1

    def read(self, producers: Sequence[Edge], cycle: int) -> None:
        """A node issued in that cycle: values that nobody else waits for are given back."""
        for edge in producers:
            source = edge.source
            if not self.graph.registers[source]:
                continue
            self.readers[source] -= 1
            self.last[source] = max(self.last.get(source, NEVER), cycle)
            if not self.readers[source] and source not in self.carried:
                pool = self.free.setdefault(self.graph.units[source].file, [])
                pool.extend([self.last[source]] * self.graph.registers[source])


def list_schedule(graph: Graph, slots: Mapping[str, int], files: Mapping[str, int] | None = None) -> Schedule:
    """Earliest place for each node, those with the longest way to the end first.

    `files`: how many registers there are of each kind; None for as many as it takes.
    """
    count = len(graph.units)
    if not count:
        return Schedule((), 0)
    within = [edge for edge in graph.edges if edge.distance == 0]
    incoming, outgoing = neighbours(count, within)
    heights = _heights(count, outgoing)
    times: list[int] = [0] * count
    waiting = [len(edges) for edges in incoming]
    ready = [node for node in range(count) if not waiting[node]]
    table = Table(slots)
    held = _Registers(graph, files or {})
    while ready:
        # By what is critical, then as written: compilers keep that order, and aliasing accesses need it.
        fitting = [n for n in ready if held.fits(n)] if files else ready
        node = max(fitting or ready, key=lambda n: (heights[n], -n))
        ready.remove(node)
        cycle = max([0, *(times[e.source] + e.latency for e in incoming[node])])
        cycle = max(cycle, held.take(node)) if files else cycle
        slot = table.room(graph.units[node], cycle)
        while slot is None:
            cycle += 1
            slot = table.room(graph.units[node], cycle)
        table.put(node, graph.units[node], cycle, slot)
        times[node] = cycle
        held.read(incoming[node], cycle)
        for edge in outgoing[node]:
            waiting[edge.sink] -= 1
            if not waiting[edge.sink]:
                ready.append(edge.sink)
    return Schedule(tuple(times), max(times) + 1, limit="latency")


def _heights(count: int, outgoing: Sequence[Sequence[Edge]]) -> list[int]:
    """Longest way from each node to the end. Edges of one iteration go from lower to higher numbers."""
    heights = [0] * count
    for node in range(count - 1, -1, -1):
        heights[node] = max([0, *(heights[e.sink] + e.latency for e in outgoing[node])])
    return heights
