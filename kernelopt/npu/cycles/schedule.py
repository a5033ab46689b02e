"""Placing operations on issue slots: list scheduling of a block, modulo scheduling of a loop body.

A node is one instruction. An `Edge` (source, sink, latency, distance) says that the sink may issue no earlier
than `latency` cycles after the source of `distance` iterations before. Latencies may be negative: a store of
8 bits reads its value six cycles after it issues.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kernelopt.npu.cycles.machine import Unit

EFFORT = 12
"""Placements a node that the modulo scheduler tries at one II, on average, before it takes the next."""
NEVER = -(10**6)
"""A moment before everything."""
MOST_ATTEMPTS = 16
"""Initiation intervals that are tried."""
MOST_EDGES = 8000
"""Bodies with more dependences are not pipelined, and nobody asks what bounds them."""
MOST_NODES = 400
"""Bodies of more instructions are not pipelined: they would not fit program memory either."""


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


class _Table:
    """Who issues when; with `ii`, cycles are taken modulo it."""

    def __init__(self, slots: Mapping[str, int], ii: int = 0) -> None:
        self.slots, self.ii = slots, ii
        self.used: dict[tuple[int, str], list[int]] = defaultdict(list)
        self.taken: dict[int, tuple[int, str]] = {}
        self.memory: dict[int, list[int]] = defaultdict(list)
        self.blocking: dict[int, list[int]] = defaultdict(list)
        self.most_blocks = 0

    def row(self, cycle: int) -> int:
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
        row = self.row(cycle)
        self.used[row, slot].append(node)
        self.taken[node] = (row, slot)
        if unit.memory:
            self.memory[row].append(node)
            if unit.blocks:
                self.blocking[row].append(unit.blocks)
                self.most_blocks = max(self.most_blocks, unit.blocks)

    def drop(self, node: int, unit: Unit) -> None:
        row, slot = self.taken.pop(node)
        self.used[row, slot].remove(node)
        if unit.memory:
            self.memory[row].remove(node)
            if unit.blocks:
                self.blocking[row].remove(unit.blocks)


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
    incoming, outgoing = _neighbours(count, within)
    heights = _heights(count, outgoing)
    times: list[int] = [0] * count
    waiting = [len(edges) for edges in incoming]
    ready = [node for node in range(count) if not waiting[node]]
    table = _Table(slots)
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


def _neighbours(count: int, edges: Sequence[Edge]) -> tuple[list[list[Edge]], list[list[Edge]]]:
    incoming: list[list[Edge]] = [[] for _ in range(count)]
    outgoing: list[list[Edge]] = [[] for _ in range(count)]
    for edge in edges:
        incoming[edge.sink].append(edge)
        outgoing[edge.source].append(edge)
    return incoming, outgoing


def _heights(count: int, outgoing: Sequence[Sequence[Edge]]) -> list[int]:
    """Longest way from each node to the end. Edges of one iteration go from lower to higher numbers."""
    heights = [0] * count
    for node in range(count - 1, -1, -1):
        heights[node] = max([0, *(heights[e.sink] + e.latency for e in outgoing[node])])
    return heights


def resource_bound(graph: Graph, slots: Mapping[str, int]) -> tuple[int, str]:
    """Fewest cycles that the slots allow for one iteration, and the slot that binds.

    Nodes with a choice of slots are spread evenly: a set of slots cannot do more than its size a cycle.
    """
    best, name = 1, ""
    choices = {unit.slots for unit in graph.units}
    for group in {frozenset(choice) for choice in choices} | {frozenset(s) for s in (("lda", "ldb"),)}:
        inside = sum(1 for unit in graph.units if set(unit.slots) <= group)
        room = sum(slots.get(slot, 0) for slot in group)
        need = -(-inside // room) if room else len(graph.units)
        if need > best:
            best, name = need, "/".join(sorted(group))
    accesses = sum(1 for unit in graph.units if unit.memory and not unit.blocks)
    blocked = sum(unit.blocks for unit in graph.units) + (accesses + 2) // 3
    if any(unit.blocks for unit in graph.units) and blocked > best:
        best, name = blocked, "part-word store"
    return best, name


def recurrence_bound(graph: Graph, most: int) -> int:
    """Smallest II, up to `most`, at which no circle of dependences needs more time than it has."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if _feasible(graph, middle):
            high = middle
        else:
            low = middle + 1
    return low


def _feasible(graph: Graph, ii: int) -> bool:
    """No positive circle at this II (Bellman-Ford on latency - ii * distance)."""
    count = len(graph.units)
    far = [0] * count
    weights = [(e.source, e.sink, e.latency - ii * e.distance) for e in graph.edges]
    for _ in range(min(count, 64) + 1):
        changed = False
        for source, sink, weight in weights:
            if far[source] + weight > far[sink]:
                far[sink] = far[source] + weight
                changed = True
        if not changed:
            return True
    return False


def modulo_schedule(
    graph: Graph, slots: Mapping[str, int], most: int, files: Mapping[str, int] | None = None
) -> Schedule | None:
    """The loop body at the smallest initiation interval below `most` that is found, by eviction."""
    if not graph.units or len(graph.units) > MOST_NODES or len(graph.edges) > MOST_EDGES:
        return None
    resources, slot = resource_bound(graph, slots)
    recurrence = recurrence_bound(graph, most)
    limit = f"slot {slot}" if resources >= recurrence else "recurrence"
    if slot == "part-word store" and resources >= recurrence:
        limit = "8- and 16-bit stores"
    for ii in _intervals(max(resources, recurrence), most):
        times = _place(graph, slots, ii)
        if times is not None:
            start = min(times)
            times = [time - start for time in times]
            if not _enough(graph, times, ii, files or {}):
                limit = "registers"
                continue
            return Schedule(tuple(times), max(times) + 1, ii, limit)
    return None


def _intervals(first: int, most: int) -> Iterator[int]:
    """Initiation intervals to try: each of the first few, then in growing steps."""
    ii = first
    for attempt in range(MOST_ATTEMPTS):
        if ii >= most:
            return
        yield ii
        ii += 1 if attempt < MOST_ATTEMPTS // 2 else 1 + ii // 8


def _enough(graph: Graph, times: Sequence[int], ii: int, files: Mapping[str, int]) -> bool:
    """Whether the values that live at once have registers: lifetimes over the initiation interval."""
    ends: dict[int, int] = {}
    for edge in graph.edges:
        if graph.registers[edge.source]:
            end = times[edge.sink] + ii * edge.distance
            ends[edge.source] = max(ends.get(edge.source, end), end)
    need: dict[str, float] = defaultdict(float)
    for node, end in ends.items():
        unit = graph.units[node]
        lived = max(1, end - times[node] - unit.latency + 1)
        need[unit.file] += graph.registers[node] * lived / ii
    return all(need[name] <= size for name, size in files.items())


def _place(graph: Graph, slots: Mapping[str, int], ii: int) -> list[int] | None:
    count = len(graph.units)
    incoming, outgoing = _neighbours(count, graph.edges)
    heights = _modulo_heights(count, graph.edges, ii)
    times: list[int | None] = [None] * count
    last = [-1] * count
    table = _Table(slots, ii)
    waiting = [(-heights[node], node) for node in range(count)]
    heapq.heapify(waiting)
    for _ in range(EFFORT * count):
        if not waiting:
            break
        node = heapq.heappop(waiting)[1]
        unit = graph.units[node]
        early = max(
            [
                0,
                *(
                    t + e.latency - ii * e.distance
                    for e in incoming[node]
                    if (t := times[e.source]) is not None
                ),
            ]
        )
        cycle, slot = early, None
        for cycle in range(early, early + ii):
            slot = table.room(unit, cycle)
            if slot is not None:
                break
        if slot is None:
            cycle = max(early, last[node] + 1)
            slot = _evict(
                graph, table, times, unit, cycle, lambda n: heapq.heappush(waiting, (-heights[n], n))
            )
            if slot is None:
                return None
        table.put(node, unit, cycle, slot)
        times[node] = last[node] = cycle
        for edge in outgoing[node]:
            other = times[edge.sink]
            if edge.sink != node and other is not None and other < cycle + edge.latency - ii * edge.distance:
                table.drop(edge.sink, graph.units[edge.sink])
                times[edge.sink] = None
                heapq.heappush(waiting, (-heights[edge.sink], edge.sink))
    placed = [time for time in times if time is not None]
    return placed if not waiting and len(placed) == count else None


def _evict(
    graph: Graph,
    table: _Table,
    times: list[int | None],
    unit: Unit,
    cycle: int,
    again: Callable[[int], None],
) -> str | None:
    """Make room in that cycle: whoever holds the slot, or blocks memory, has to be placed `again`."""
    row = table.row(cycle)
    slot = unit.slots[0]
    victims = list(table.used[row, slot])
    if unit.memory:
        reach = max(table.most_blocks, 1)
        for near in range(-reach, max(unit.blocks, 1)):
            victims += table.memory[table.row(cycle + near)]
    for victim in set(victims):
        table.drop(victim, graph.units[victim])
        times[victim] = None
        again(victim)
    return slot if table.room(unit, cycle) else None


def _modulo_heights(count: int, edges: Sequence[Edge], ii: int) -> list[int]:
    heights = [0] * count
    for _ in range(8):
        changed = False
        for edge in reversed(edges):
            height = heights[edge.sink] + edge.latency - ii * edge.distance
            if height > heights[edge.source]:
                heights[edge.source] = height
                changed = True
        if not changed:
            break
    return heights
