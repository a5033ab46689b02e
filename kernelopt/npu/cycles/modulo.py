"""Modulo scheduling: the body of a loop whose iterations overlap (iterative, with eviction)."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from kernelopt.npu.cycles.graph import Edge, Graph, Schedule, Table, neighbours
from kernelopt.npu.cycles.machine import Unit

EFFORT = 12
"""Placements a node that the modulo scheduler tries at one II, on average, before it takes the next."""
MOST_ATTEMPTS = 16
"""Initiation intervals that are tried."""
MOST_EDGES = 8000
"""Bodies with more dependences are not pipelined, and nobody asks what bounds them."""
MOST_NODES = 400
"""Bodies of more instructions are not pipelined: they would not fit program memory either."""


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
    incoming, outgoing = neighbours(count, graph.edges)
    heights = _modulo_heights(count, graph.edges, ii)
    times: list[int | None] = [None] * count
    last = [-1] * count
    table = Table(slots, ii)
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
    table: Table,
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
