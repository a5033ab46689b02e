"""What the account says in words: the hottest loop, and what a writer of kernels should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kernelopt.npu.cycles.machine import Machine
from kernelopt.npu.cycles.rows import BlockCost

BYTES_A_BUNDLE = 12
"""Mean length of an instruction word; 16 is the longest."""
NOT_MODELLED = "not modelled: spills and scalar registers, bank conflicts, lock and DMA stalls"


def hot_loop(rows: Sequence[BlockCost], total: float) -> str:
    """The costliest block in one sentence."""
    if not rows or not rows[0].cycles:
        return ""
    cost = rows[0]
    share = f"{100 * cost.cycles / total:.0f}% of all cycles"
    place = f"the loop in line {cost.line}" if cost.loop else f"straight code up to line {cost.line}"
    if not cost.loop:
        return f"{place} takes {share} ({cost.pattern.cycles:.0f} cycles a time)"
    each = cost.pattern.cycles / max(cost.iterations, 1)
    how = f"pipelined, one round every {cost.ii} cycles" if cost.ii else "not pipelined"
    how = "unrolled completely" if cost.whole else how
    unrolled = f", unrolled {cost.unroll} times" if cost.unroll > 1 and not cost.whole else ""
    because = f"; {cost.why}" if cost.why and not cost.ii else ""
    bound = f"; bound by {cost.limit}" if cost.limit else ""
    return f"{place} takes {share}: {each:.1f} cycles an iteration, {how}{unrolled}{bound}{because}"


def told(rows: Sequence[BlockCost], total: float, machine: Machine) -> Iterator[str]:
    """Notes in order of weight, each once."""
    seen: set[str] = set()
    for cost in sorted(rows, key=lambda cost: -cost.cycles):
        if cost.cycles < 0.02 * total:
            continue
        for note in cost.notes:
            text = f"line {cost.line}: {note}"
            if note not in seen:
                seen.add(note)
                yield text
        if cost.loop and cost.why and not cost.ii:
            yield f"line {cost.line}: not pipelined: {cost.why}"
    size = BYTES_A_BUNDLE * sum(cost.instructions for cost in rows)
    if size > machine.data["program_bytes"]:
        yield f"about {size} bytes of program: the core has {machine.data['program_bytes']}"
    yield NOT_MODELLED
