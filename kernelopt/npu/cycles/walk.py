"""Counts of blocks → one run in order: in which cycles vector instructions issue, as a trace would show it.

Which way each single branch went is not recorded, so branches are taken evenly: a block that runs in two of
three rounds of its loop runs in rounds 1, 2, 4, 5 ...
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kernelopt.npu.cycles import flow
from kernelopt.npu.cycles.gimple import Function
from kernelopt.npu.cycles.rows import BlockCost

MOST_VISITS = 400_000
"""Blocks that are walked through; what comes later is left out."""


def pulses(books: Mapping[str, tuple[Function, list[BlockCost]]]) -> tuple[list[float], float]:
    """Moments of vector cycles from the start of the work, and its length."""
    clock, visits = 0.0, 0
    moments: list[float] = []
    for function, costs in books.values():
        table = {cost.number: cost for cost in costs}
        for cost in _visits(function, table):
            visits += 1
            if visits > MOST_VISITS:
                break
            moments.extend(clock + pulse for pulse in cost.pattern.pulses)
            clock += cost.pattern.cycles
    return moments, clock


def _visits(function: Function, table: Mapping[int, BlockCost]) -> Iterator[BlockCost]:
    """Blocks in the order in which they run."""
    due: dict[int, float] = defaultdict(float)
    outer = flow.loops(function)
    yield from _level(function, table, outer, set(function.blocks), 1.0, due)


def _level(
    function: Function,
    table: Mapping[int, BlockCost],
    loops: list[flow.Loop],
    blocks: set[int],
    turns: float,
    due: dict[int, float],
) -> Iterator[BlockCost]:
    """One time through a loop's body, or through the function; `turns` is how often the whole level runs."""
    headed = {loop.header: loop for loop in loops}
    inside = {block for loop in loops for block in loop.blocks}
    for number in function.blocks:
        if number not in blocks:
            continue
        if number in headed and len(headed[number].blocks) > 1:
            yield from _rounds(function, table, headed[number], turns, due)
        elif (number in headed or number not in inside) and number in table:
            due[number] += table[number].runs / max(turns, 1.0)
            while due[number] >= 0.999:
                due[number] -= 1.0
                yield table[number]


def _rounds(
    function: Function, table: Mapping[int, BlockCost], loop: flow.Loop, turns: float, due: dict[int, float]
) -> Iterator[BlockCost]:
    """All iterations of a loop of several blocks, for one time that it is entered."""
    header = table.get(loop.header)
    total = max((table[block].runs for block in loop.blocks if block in table), default=0.0)
    total = header.runs if header is not None and header.runs else total
    due[-loop.header] += total / max(turns, 1.0)
    while due[-loop.header] >= 0.999:
        due[-loop.header] -= 1.0
        yield from _level(function, table, loop.children, loop.blocks, total, due)
