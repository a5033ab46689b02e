"""How often a loop of one block runs, where the text alone says so."""

from __future__ import annotations

from kernelopt.npu.cycles.gimple import Block, Phi
from kernelopt.npu.cycles.values import Values, number


def static_trips(block: Block, values: Values) -> int | None:
    """Iterations of a loop of one block, where the text alone says how many."""
    if not block.statements or block.statements[-1].code != "cond":
        return None
    last = block.statements[-1]
    stay = block.successors[0] == block.number
    for place, operand in enumerate(last.operands):
        bound = number(last.operands[1 - place])
        if bound is None:
            continue
        form, offset = values.linear(operand)
        if len(form) != 1:
            continue
        name, scale = next(iter(form.items()))
        phi = next((p for p in block.phis if p.target == name), None)
        if phi is None or scale != 1:
            continue
        if not offset and number(phi.sources.get(block.number, "")) is not None:
            return 2  # the counter of two iterations: one constant at first, another then
        return _count(phi, block.number, values, last.op, offset, bound, place == 1, stay)
    return None


def _count(
    phi: Phi, latch: int, values: Values, op: str, offset: int, bound: int, flipped: bool, stay: bool
) -> int | None:
    step = values.step(phi, latch)
    starts = [number(source) for block, source in phi.sources.items() if block != latch]
    if step is None or step == 0 or len(starts) != 1 or starts[0] is None:
        return None
    if flipped:
        op = {"lt_expr": "gt_expr", "gt_expr": "lt_expr", "le_expr": "ge_expr", "ge_expr": "le_expr"}.get(
            op, op
        )
    if not stay:
        op = {
            **{"eq_expr": "ne_expr", "ne_expr": "eq_expr", "lt_expr": "ge_expr", "ge_expr": "lt_expr"},
            **{"gt_expr": "le_expr", "le_expr": "gt_expr"},
        }.get(op, op)
    first = starts[0] + offset
    if op == "ne_expr":
        trips, rest = divmod(bound - first, step)
        return trips + 1 if rest == 0 and trips >= 0 else None
    reach = {
        "lt_expr": bound - first,
        "le_expr": bound - first + 1,
        "gt_expr": first - bound,
        "ge_expr": first - bound + 1,
    }
    if op not in reach or (step > 0) != (op in ("lt_expr", "le_expr")):
        return None
    return max(1, -(-reach[op] // abs(step)) + 1)
