"""Another shape of the same task: does a kernel compute, or does it know its one size?

A size may vary where nothing but the first axis of inputs and outputs follows it: a batch, or the rows
of a matrix. Constructor arguments and weights stay as they are, so that the same loaded kernel has to cope.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from kernelopt.errors import TaskError
from kernelopt.evaluator.data.arena import leaves
from kernelopt.suites._constants import constants, rewrite
from kernelopt.suites._load import load, make_inputs, make_model, run_model
from kernelopt.suites._shrink import BATCH_NAMES
from kernelopt.task import Task

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Outline:
    """What a task is about, without its numbers."""

    init: str
    state: tuple[tuple[str, Shape], ...]
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]


def other_shape(task: Task, chance: random.Random) -> tuple[str, Task] | None:
    """The task with one row-like size changed, and what was changed; None where no size may.

    The new size is odd and smaller, so that it fits wherever the task does and no power of two divides it.
    """
    try:
        base, found = _outline(task), constants(task.source)
    except (TaskError, SyntaxError):
        return None
    sizes = {name: value for name, value in found.items() if type(value) is int and value > 0}
    for name in sorted(sizes, key=lambda name: name not in BATCH_NAMES):
        size = other_size(sizes[name], chance)
        varied = replace(task, source=rewrite(task.source, {name: size}))
        try:
            outline = _outline(varied)
        except TaskError:
            continue
        if _only_rows(base, outline):
            return f"{name}={size}", varied
    return None


def other_size(size: int, chance: random.Random) -> int:
    """A size unlike `size`: odd and between a half and the whole of it, where there is one."""
    if size <= 4:
        return 2 if size == 3 else 3
    return chance.choice([n for n in range(size // 2 + 1, size) if n % 2] or [size - 1])


def _outline(task: Task) -> _Outline:
    """On the meta device: shapes without data."""
    module = load(task)
    inputs = make_inputs(module, seed=0, device="meta")
    model = make_model(module, seed=0, device="meta")
    state = tuple((name, tuple(value.shape)) for name, value in model.state_dict().items())
    shapes = tuple(tuple(x.shape) for x in leaves(inputs))
    outputs = tuple(tuple(x.shape) for x in leaves(run_model(module, model, inputs)))
    return _Outline(repr(module.get_init_inputs()), state, shapes, outputs)


def _only_rows(base: _Outline, varied: _Outline) -> bool:
    """Whether nothing differs but first axes, and an input does."""
    if (base.init, base.state) != (varied.init, varied.state) or base.inputs == varied.inputs:
        return False
    return all(
        len(before) == len(after) and all(map(_same_columns, before, after))
        for before, after in ((base.inputs, varied.inputs), (base.outputs, varied.outputs))
    )


def _same_columns(before: Shape, after: Shape) -> bool:
    return len(before) == len(after) and before[1:] == after[1:]
