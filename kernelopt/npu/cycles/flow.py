"""Control flow of a function: its loops, branches that become selections, loops that become straight code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kernelopt.npu.cycles.gimple import Block, Function, Statement
from kernelopt.npu.cycles.trips import static_trips
from kernelopt.npu.cycles.values import NAMES, Values, is_name

SPECULATED = 4
"""Most operations on either side of a branch that a compiler computes always to be rid of the branch."""
IMPURE = ("call", "switch", "return", "other")


@dataclass(slots=True)
class Loop:
    """One natural loop."""

    header: int
    latches: set[int]
    blocks: set[int]
    children: list[Loop] = field(default_factory=list)


def predecessors(function: Function) -> dict[int, list[int]]:
    """Block number to the blocks that go there."""
    found: dict[int, list[int]] = {block: [] for block in function.blocks}
    for block in function.blocks.values():
        for successor in block.successors:
            if successor in found and block.number not in found[successor]:
                found[successor].append(block.number)
    return found


def loops(function: Function) -> list[Loop]:
    """The outermost loops, each with those inside it."""
    before = predecessors(function)
    order = {number: place for place, number in enumerate(function.blocks)}
    headers: dict[int, Loop] = {}
    for block in function.blocks.values():
        for successor in block.successors:
            if successor in order and order[successor] <= order[block.number]:
                loop = headers.setdefault(successor, Loop(successor, set(), {successor}))
                loop.latches.add(block.number)
                _gather(loop, block.number, before)
    return _nested(sorted(headers.values(), key=lambda loop: len(loop.blocks)))


def _gather(loop: Loop, latch: int, before: dict[int, list[int]]) -> None:
    waiting = [latch]
    while waiting:
        block = waiting.pop()
        if block not in loop.blocks:
            loop.blocks.add(block)
            waiting.extend(before[block])


def _nested(smallest_first: list[Loop]) -> list[Loop]:
    outermost: list[Loop] = []
    for place, loop in enumerate(smallest_first):
        parent = next((big for big in smallest_first[place + 1 :] if loop.blocks <= big.blocks), None)
        (parent.children if parent else outermost).append(loop)
    return outermost


def convert_branches(function: Function) -> None:
    """Merge short side blocks without effects into the block that branches; phis become selections."""
    changed = True
    while changed:
        changed = False
        before = predecessors(function)
        for block in list(function.blocks.values()):
            if block.number in function.blocks and (
                _convert(function, block, before) or _join(function, block, before)
            ):
                changed = True
                break


def _convert(function: Function, block: Block, before: dict[int, list[int]]) -> bool:
    if len(block.successors) != 2 or not block.statements or block.statements[-1].code != "cond":
        return False
    left, right = block.successors
    if left == right or block.number in (left, right):
        return False
    sides = [s for s in (left, right) if _side(function, s, before)]
    after = {s: function.blocks[s].successors[0] for s in sides}
    if len(sides) == 2 and after[left] == after[right]:
        join = after[left]
    elif left in sides and after[left] == right:
        sides, join = [left], right
    elif right in sides and after[right] == left:
        sides, join = [right], left
    else:
        return False
    if join in (block.number, *sides) or join not in function.blocks:
        return False
    if set(before[join]) != {*sides, *([block.number] if len(sides) == 1 else [])} and len(before[join]) > 2:
        return False
    _merge(function, block, sides, join, left, right)
    return True


def _side(function: Function, number: int, before: dict[int, list[int]]) -> bool:
    """Short, reached from one place, goes to one place, and may as well be computed always."""
    block = function.blocks.get(number)
    if (
        block is None
        or block.phis
        or (before[number] and len(before[number]) != 1)
        or len(block.successors) != 1
    ):
        return False
    return len(block.statements) <= SPECULATED and all(_pure(s) for s in block.statements)


def _pure(statement: Statement) -> bool:
    memory = (
        "mem_ref",
        "array_ref",
        "component_ref",
        "var_decl",
        "target_mem_ref",
        "trunc_div_expr",
        "trunc_mod_expr",
    )
    return (
        statement.code == "assign"
        and statement.op not in memory
        and all(mark not in statement.target for mark in "*[>")
        and not statement.target.startswith("MEM")
    )


def _merge(function: Function, block: Block, sides: list[int], join: int, left: int, right: int) -> None:
    condition = block.statements.pop()
    from_left = left if left in sides else block.number
    from_right = right if right in sides else block.number
    for side in sides:
        block.statements.extend(function.blocks.pop(side).statements)
    flag = f"_{90000 + block.number}"
    function.types[flag] = "_Bool"
    block.statements.append(Statement("assign", condition.op, flag, condition.operands, condition.line))
    goal = function.blocks[join]
    for phi in goal.phis:
        yes, no = phi.sources.pop(from_left, "0"), phi.sources.pop(from_right, "0")
        name = phi.target
        if phi.sources:
            name = f"{phi.target}x{block.number}"
            function.types[name] = function.type_of(phi.target)
            phi.sources[block.number] = name
        block.statements.append(Statement("assign", "cond_expr", name, (flag, yes, no), condition.line))
    goal.phis = [phi for phi in goal.phis if phi.sources]
    block.successors = [join]
    block.edge_counts = {join: block.count}


def _join(function: Function, block: Block, before: dict[int, list[int]]) -> bool:
    """Append the only successor where this is its only predecessor."""
    if len(block.successors) != 1:
        return False
    after = block.successors[0]
    if after == block.number or after not in function.blocks or before[after] != [block.number]:
        return False
    goal = function.blocks[after]
    for phi in goal.phis:
        source = phi.sources.get(block.number, "0")
        block.statements.append(Statement("assign", "ssa_name", phi.target, (source,), 0))
    block.statements.extend(goal.statements)
    block.successors = goal.successors
    block.edge_counts = goal.edge_counts
    del function.blocks[after]
    for other in goal.successors:
        for phi in function.blocks[other].phis if other in function.blocks else []:
            if after in phi.sources:
                phi.sources[block.number] = phi.sources.pop(after)
    return True


def unroll_inner(function: Function, fits: Callable[[Block, int], bool]) -> None:
    """Loops of one block inside another loop become straight code where `fits(block, iterations)` says so."""
    changed = True
    while changed:
        values, before = Values(function), predecessors(function)
        changed = any(_unrolled(function, block, values, before, fits) for block in function.blocks.values())
        if changed:
            convert_branches(function)


def _unrolled(
    function: Function,
    block: Block,
    values: Values,
    before: dict[int, list[int]],
    fits: Callable[[Block, int], bool],
) -> bool:
    outside = [number for number in before[block.number] if number != block.number]
    if block.number not in block.successors or block.depth < 2 or len(outside) != 1:
        return False
    trips = static_trips(block, values)
    if not trips or not fits(block, trips):
        return False
    entered = function.blocks[outside[0]].edge_counts.get(block.number, 0.0)
    block.count = entered or block.count / trips
    block.statements = list(_copies(block, trips, outside[0]))
    block.phis = []
    block.successors = [number for number in block.successors if number != block.number]
    block.edge_counts.pop(block.number, None)
    return True


def _copies(block: Block, trips: int, outside: int) -> Iterator[Statement]:
    """All iterations in a row; the last one keeps the names, for readers behind the loop."""
    current = {phi.target: phi.sources.get(outside, "0") for phi in block.phis}
    for copy in range(trips):
        last = copy == trips - 1
        names = dict(current)
        if last:
            for phi in block.phis:
                yield Statement("assign", "ssa_name", phi.target, (current[phi.target],), 0)
            names = {}
        for statement in block.statements[:-1]:
            operands = tuple(_renamed(operand, names) for operand in statement.operands)
            target = _renamed(statement.target, names)
            if is_name(statement.target):
                target = statement.target if last else f"{statement.target}x{9000 + copy}"
                names[statement.target] = target
            yield Statement(statement.code, statement.op, target, operands, statement.line)
        if not last:
            sources = {phi.target: phi.sources.get(block.number, "0") for phi in block.phis}
            current = {phi: names.get(source, source) for phi, source in sources.items()}


def _renamed(text: str, names: dict[str, str]) -> str:
    return NAMES.sub(lambda found: names.get(found[0], found[0]), text) if names else text
