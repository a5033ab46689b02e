"""What a task's reference takes, holds and returns: shapes and types, found without data."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Any

from kernelopt.errors import UsageError
from kernelopt.task import Task

NUMBERS = {bool: "bool", int: "int", float: "float"}
"""Plain arguments to their names in a schema."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One input, parameter or buffer."""

    name: str
    """As in the operator's schema."""
    shape: tuple[int, ...] | None
    """None for a plain number."""
    dtype: str = ""
    order: tuple[int, ...] = ()
    """Axes from the outermost in memory to the innermost."""
    value: Any = None
    path: str = ""
    """Of state: its name in the module."""


@dataclass(frozen=True, slots=True)
class Outline:
    """All that a schema and a guard need."""

    inputs: tuple[Argument, ...]
    state: tuple[Argument, ...]
    outputs: int
    """How many tensors come back."""
    init: str
    """``repr`` of the constructor's arguments."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the input tensors."""
        return tuple(one.shape for one in self.inputs if one.shape is not None)

    @property
    def kind(self) -> tuple[Any, ...]:
        """Equal for tasks that one kernel object may serve: only sizes of inputs differ."""
        inputs = tuple(
            (one.dtype, None if one.shape is None else len(one.shape), one.order, one.value)
            for one in self.inputs
        )
        return inputs, self.state, self.outputs, self.init


def outline(task: Task) -> Outline:
    """Run the reference on the meta device.

    Raises:
        TaskError: it does not load, or does not run there.
        UsageError: it takes, returns or does something that an operator cannot.
    """
    import torch

    from kernelopt.suites._load import load, make_inputs, make_model, run_model

    module = load(task)
    inputs = make_inputs(module, seed=0, device="meta")
    model = make_model(module, seed=0, device="meta")
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    written = [*tensors.values(), *(one for one in inputs if isinstance(one, torch.Tensor))]
    before = [one._version for one in written]
    found = run_model(module, model, inputs)
    if before != [one._version for one in written]:
        raise UsageError(
            f"{task.id}: the reference writes to its inputs or buffers, and an operator must not"
        )
    outputs = [found] if isinstance(found, torch.Tensor) else found
    if not isinstance(outputs, list | tuple) or not all(isinstance(one, torch.Tensor) for one in outputs):
        raise UsageError(f"{task.id}: the reference returns no tensor and no tuple of tensors")
    names = _names(model.forward, len(inputs))
    arguments = [_argument(task, name, value) for name, value in zip(names, inputs, strict=True)]
    state = [_state(path, value, names) for path, value in tensors.items()]
    return Outline(tuple(arguments), tuple(state), len(outputs), repr(module.get_init_inputs()))


def _argument(task: Task, name: str, value: Any) -> Argument:
    import torch

    if isinstance(value, torch.Tensor):
        strides = value.stride()
        order = sorted(range(value.ndim), key=lambda axis: (-strides[axis], axis))
        plain = tuple(range(value.ndim)) if value.is_contiguous() else tuple(order)
        return Argument(name, tuple(value.shape), str(value.dtype)[6:], plain)
    if type(value) not in NUMBERS:
        raise UsageError(f"{task.id}: the input {name} is a {type(value).__name__}, which no operator takes")
    return Argument(name, None, NUMBERS[type(value)], value=value)


def _state(path: str, value: Any, taken: list[str]) -> Argument:
    name = re.sub(r"\W", "_", path)
    while name in taken or keyword.iskeyword(name) or not name.isidentifier():
        name = f"state_{name}"
    return Argument(name, tuple(value.shape), str(value.dtype)[6:], path=path)


def _names(forward: Any, count: int) -> list[str]:
    """Names of the parameters of ``forward`` where it has so many plain ones; ASCII identifiers always."""
    import inspect

    found = [
        one.name
        for one in inspect.signature(forward).parameters.values()
        if one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    usable = [
        name
        for name in found[:count]
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) and not keyword.iskeyword(name)
    ]
    usable = [name if name not in ("self", "out") else f"{name}_" for name in usable]
    return usable if len(usable) == count else [f"x{index}" for index in range(count)]
