"""Blocks with their counts → cycles: which loops are unrolled and pipelined, and what each costs."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kernelopt.npu.cycles import flow
from kernelopt.npu.cycles.gimple import Block, Function
from kernelopt.npu.cycles.graph import Schedule
from kernelopt.npu.cycles.hints import Hint
from kernelopt.npu.cycles.lower import Lowering
from kernelopt.npu.cycles.machine import Machine
from kernelopt.npu.cycles.modulo import MOST_EDGES, modulo_schedule, recurrence_bound, resource_bound
from kernelopt.npu.cycles.nodes import Lowered
from kernelopt.npu.cycles.rows import BlockCost, Pattern, again, pulses, steady, then
from kernelopt.npu.cycles.straight import list_schedule
from kernelopt.npu.cycles.trips import static_trips

MOST_UNROLLED = 2000
"""Instructions that a request to unroll a loop completely may give."""


class Accountant:
    """Costs of the blocks of one function."""

    def __init__(
        self,
        machine: Machine,
        compiler: str,
        function: Function,
        calls: int,
        hints: Mapping[int, Hint],
        routines: set[str],
    ) -> None:
        self.machine, self.function, self.calls, self.hints = machine, function, max(calls, 1), hints
        self.compiler = machine.compiler(compiler)
        flow.convert_branches(function)
        flow.unroll_inner(function, self._straightens)
        self.files: Mapping[str, int] = machine.data["registers"]
        self.lowering = Lowering(machine, function, routines)
        self.before = flow.predecessors(function)

    def _straightens(self, block: Block, trips: int) -> bool:
        """Whether the compiler unrolls a loop inside another completely, before it looks at that one."""
        lines = {statement.line for statement in block.statements}
        asked = any(hint.full for line, hint in self.hints.items() if line in lines)
        return self._fully(trips, len(block.statements)) or (
            asked and trips * len(block.statements) <= MOST_UNROLLED
        )

    def costs(self) -> list[BlockCost]:
        """One entry a block that runs."""
        found = []
        for block in self.function.blocks.values():
            if block.count > 0:
                again = block.number in block.successors
                found.append(self._loop(block) if again else self._straight(block))
        return found

    # --- Straight code ----------------------------------------------------------------------------

    def _straight(self, block: Block) -> BlockCost:
        piece = self.lowering.lower(block)
        schedule = list_schedule(piece.graph, self.machine.slots, self.files)
        length = self._drained(piece, schedule, block)
        when = pulses(piece.graph, schedule)
        return BlockCost(
            block.number,
            max(piece.lines, default=0),
            block.count / self.calls,
            Pattern(length + piece.calls, when),
            limit=schedule.limit,
            instructions=len(piece.graph.units),
            notes=piece.notes,
        )

    def _drained(self, piece: Lowered, schedule: Schedule, block: Block, body: bool = False) -> float:
        """Length with the branch's delay slots, results that others wait for, and stores that must land."""
        length = schedule.length
        last = block.successors == [] or len(block.successors) > 1 or body
        if piece.branch >= 0:
            length = max(
                length, schedule.times[piece.branch] + 1 + self.machine.data["branch"]["delay_slots"]
            )
        elif len(block.successors) == 1 and not self._falls_through(block):
            length = max(length, 1 + self.machine.data["branch"]["delay_slots"])
        if last and self.compiler["drain"] is not None:
            for access in piece.accesses:
                if access.unit.memory == "store":
                    landed = schedule.times[access.node] + access.unit.stage - self.compiler["drain"]
                    length = max(length, landed)
        if not body:
            read_later = {edge.source for edge in piece.graph.edges}
            for node, unit in enumerate(piece.graph.units):
                if node not in read_later and unit.memory != "store":
                    length = max(length, schedule.times[node] + unit.latency)
        return length

    def _falls_through(self, block: Block) -> bool:
        numbers = list(self.function.blocks)
        place = numbers.index(block.number)
        return numbers[place + 1 : place + 2] == block.successors[:1]

    # --- Loops of one block -----------------------------------------------------------------------

    def _loop(self, block: Block) -> BlockCost:
        entries = self._entries(block)
        iterations = block.count / entries
        trips = static_trips(block, self.lowering.values)
        one = self.lowering.lower(block, 1, loop=True)
        hint = self._hint(one)
        size = len(block.statements)
        line = hint[0] or max(one.lines, default=0)
        whole = trips if trips and (hint[1].full or self._fully(trips, size)) else 0
        if whole and whole * len(one.graph.units) <= MOST_UNROLLED:
            cost = self._unrolled_whole(block, whole)
        else:
            cost = self._repeated(block, iterations, trips, hint[1], size, one)
        cost.number, cost.line, cost.runs, cost.iterations, cost.loop = (
            block.number, line, entries / self.calls, iterations, True,
        )  # fmt: skip
        return cost

    def _entries(self, block: Block) -> float:
        outside = [n for n in self.before[block.number] if n != block.number]
        total = 0.0
        for number in outside:
            other = self.function.blocks[number]
            total += other.edge_counts.get(block.number, other.count if len(other.successors) == 1 else 0.0)
        return min(max(total, 1.0), block.count) if total else block.count

    def _hint(self, piece: Lowered) -> tuple[int, Hint]:
        lines = [line for line in sorted(piece.lines) if line in self.hints]
        return (lines[0], self.hints[lines[0]]) if lines else (min(piece.lines, default=0), Hint())

    def _fully(self, trips: int, size: int) -> bool:
        return bool(
            trips <= self.compiler["full_unroll"] and trips * size <= self.compiler["full_unroll_size"]
        )

    def _unrolled_whole(self, block: Block, trips: int) -> BlockCost:
        piece = self.lowering.lower(block, trips)
        if piece.branch >= 0:
            piece.graph.units[piece.branch] = self.machine.units["move"]
            piece.branch = -1
        schedule = list_schedule(piece.graph, self.machine.slots, self.files)
        pattern = Pattern(schedule.length + piece.calls, pulses(piece.graph, schedule))
        cost = BlockCost(0, 0, 0, pattern, 1, 0, trips, "latency", "", len(piece.graph.units), piece.notes)
        cost.whole = True
        return cost

    def _factor(self, trips: int | None, iterations: float, hint: Hint, size: int) -> int:
        """How often the compiler unrolls a loop that it does not unroll completely."""
        if hint.unroll:
            return max(1, min(hint.unroll, int(iterations)))
        if hint.minimum and hint.minimum >= self.compiler["pipeline_from"]:
            return 1
        most = min(self.compiler["unroll"], max(1, self.compiler["unroll_size"] // max(size, 1)))
        if trips:
            return next((n for n in range(most, 0, -1) if trips % n == 0), 1)
        power = 1 << (most.bit_length() - 1)
        return power if iterations >= power else 1

    def _repeated(
        self, block: Block, iterations: float, trips: int | None, hint: Hint, size: int, one: Lowered
    ) -> BlockCost:
        factor = self._factor(trips, iterations, hint, size) if not one.calls else 1
        piece = one if factor == 1 else self.lowering.lower(block, factor, loop=True)
        rounds = int(iterations + 0.5) // factor
        rest = int(iterations + 0.5) - rounds * factor
        plain = list_schedule(piece.graph, self.machine.slots, self.files)
        length = int(self._body_length(piece, plain, block))
        pipelined, why = self._pipeline(piece, length, rounds, hint)
        if pipelined is not None:
            pattern = steady(piece.graph, pipelined, rounds, int(piece.calls))
        else:
            pattern = again(pulses(piece.graph, plain), length + piece.calls, rounds)
        if rest:
            pattern = then(pattern, self._remainder(one, block, rest))
        limit = pipelined.limit if pipelined else self._limit(piece, length)
        cost = BlockCost(0, 0, 0, pattern, iterations, pipelined.ii if pipelined else 0, factor, limit, why)
        cost.instructions, cost.notes = len(piece.graph.units), piece.notes
        return cost

    def _remainder(self, one: Lowered, block: Block, rest: int) -> Pattern:
        plain = list_schedule(one.graph, self.machine.slots, self.files)
        return again(pulses(one.graph, plain), int(self._body_length(one, plain, block)) + one.calls, rest)

    def _body_length(self, piece: Lowered, schedule: Schedule, block: Block) -> float:
        length = self._drained(piece, schedule, block, body=True)
        for edge in piece.graph.edges:
            if edge.distance == 1:
                length = max(length, schedule.times[edge.source] + edge.latency - schedule.times[edge.sink])
        return length

    def _pipeline(self, piece: Lowered, length: int, rounds: int, hint: Hint) -> tuple[Schedule | None, str]:
        """A pipelined schedule, or why there is none."""
        if why := self._unfit(piece, rounds, hint):
            return None, why
        found = modulo_schedule(piece.graph, self.machine.slots, length, self.files)
        if found is None:
            return None, "nothing to gain: " + self._limit(piece, length)
        stages = math.ceil(found.length / found.ii)
        if stages > rounds:
            return None, f"it would take {stages} overlapped iterations and has {rounds}"
        return found, ""

    def _unfit(self, piece: Lowered, rounds: int, hint: Hint) -> str:
        """Why the compiler does not even try."""
        asked = hint.minimum if self.compiler["pipelines"] == "minimum" else hint.prepare
        if piece.calls:
            return f"it calls {piece.called[0]}"
        if piece.ordered:
            return "a store may overlap the next load: say __restrict"
        if not asked:
            return str(self.compiler["pipelines_why"])
        return "it has too few iterations" if rounds < 2 else ""

    def _limit(self, piece: Lowered, length: int) -> str:
        resources, slot = resource_bound(piece.graph, self.machine.slots)
        if len(piece.graph.edges) > MOST_EDGES:
            return "latency"
        recurrence = recurrence_bound(piece.graph, max(length, 2))
        if max(resources, recurrence) * 2 < length:
            return "latency"
        return f"slot {slot}" if resources >= recurrence else "recurrence"
