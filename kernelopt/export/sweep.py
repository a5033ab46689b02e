"""Sizes around the measured ones, and what is known of a kernel once it was tried on them."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from kernelopt.errors import TaskError, UsageError
from kernelopt.export import Variant
from kernelopt.export.outline import Outline, outline
from kernelopt.task import Task

SMALL = (1, 3, 7, 17, 33, 64)
"""Sizes below the measured one: below, at and beside the widths of vectors and tiles."""
GROWTH = 1.25
"""A size is tried up to this multiple of the measured one."""
TOGETHER = 4
"""How many variants change all sizes at once."""
ALIGNMENT = 64
"""Bytes: where the judge puts inputs (`evaluator.arena.ALIGN`)."""


def variants(task: Task, seed: int = 0) -> Iterator[tuple[Variant, Task]]:
    """The task with other input sizes for which constructor, parameters and rank stay as they are.

    One size after the other at small, odd, neighbouring and larger values, then all of them together.
    """
    from kernelopt.suites._constants import constants, rewrite

    base = outline(task)
    found = {
        name: value for name, value in constants(task.source).items() if type(value) is int and value > 0
    }
    free = {name: size for name, size in found.items() if _changes(task, base, name, size)}
    chance = random.Random(seed)
    seen = {base.shapes}
    singles = [{name: value} for name, size in free.items() for value in around(size)]
    joint = [{name: chance.choice(around(size)) for name, size in free.items()} for _ in range(TOGETHER)]
    for sizes in itertools.chain(singles, joint if len(free) > 1 else []):
        varied = dataclasses.replace(task, source=rewrite(task.source, sizes))
        shape = _same_kind(varied, base)
        if shape is not None and shape.shapes not in seen:
            seen.add(shape.shapes)
            yield Variant(sizes, shape.shapes), varied


def around(size: int) -> list[int]:
    """Sizes to try for one that was measured, without itself."""
    near = {size - 1, size + 1, size // 2 + 1, int(size * GROWTH)}
    return sorted(
        value for value in {*near, *(one for one in SMALL if one < size)} if value > 0 and value != size
    )


def _changes(task: Task, base: Outline, name: str, size: int) -> bool:
    """Whether a constant is a size of an input and of nothing else."""
    from kernelopt.suites._constants import rewrite

    for value in (size + 1, size - 1, size // 2, 2 * size):
        if value > 0 and value != size:
            varied = _same_kind(dataclasses.replace(task, source=rewrite(task.source, {name: value})), base)
            if varied is not None and varied.shapes != base.shapes:
                return True
    return False


def _same_kind(task: Task, base: Outline) -> Outline | None:
    try:
        found = outline(task)
    except (TaskError, UsageError):
        return None
    return found if found.kind == base.kind else None


# --- The verified domain --------------------------------------------------------------------------------


def domain(base: Outline, tried: Sequence[Variant], *, ran: bool = True) -> dict[str, Any]:
    """The part ``domain`` of a kernel in ``table.json``.

    Axes that were equal in all that passed are one free size; axes that never changed are fixed. Sizes
    between those that passed are let in for a comparison with the reference in use, unless a variant
    failed: then only what was tried and passed is let in. A kernel that never `ran` was tested nowhere: it
    is compared with the reference when it is first used.
    """
    passed = [base.shapes, *(one.shapes for one in tried if one.status == "PASSED")]
    wrong = [one for one in tried if one.status not in ("PASSED", "", "SKIPPED")]
    columns = list(zip(*(list(itertools.chain(*shapes)) for shapes in passed), strict=True))
    names: dict[tuple[int, ...], str] = {}
    for column in columns:
        if len(set(column)) > 1:
            names.setdefault(column, f"n{len(names)}")
    flat = iter(names.get(column, column[0]) for column in columns)
    arguments: list[dict[str, Any]] = []
    for one in base.inputs:
        if one.shape is None:
            arguments.append({"name": one.name, "kind": "number", "value": one.value})
        else:
            shape = [next(flat) for _ in one.shape]
            rule = {"name": one.name, "kind": "tensor", "dtype": one.dtype, "shape": shape}
            arguments.append({**rule, "order": list(one.order)})
    for one in base.state:
        arguments.append(
            {"name": one.name, "kind": "state", "dtype": one.dtype, "shape": list(one.shape or ())}
        )
    ordered = sorted(names.items(), key=lambda pair: pair[1])
    return {
        "arguments": arguments,
        "alignment": ALIGNMENT,
        "sizes": {name: [min(column), max(column)] for column, name in ordered},
        "tested": _tested([column for column, _ in ordered]) if ran else [],
        "unseen": bool(not ran or (names and not wrong)),
    }


def _tested(columns: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Values of the free sizes in each call that passed; one empty list where no size is free."""
    return [list(row) for row in zip(*columns, strict=True)] or [[]]
