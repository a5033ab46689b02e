"""How large a task is: shapes, bytes, FLOPs and memory, found without allocating its tensors.

The reference is executed on torch's meta device, where tensors have shapes but no data.

FLOPs are torch's own count for matrix products, convolutions and attention (2 a multiply-add), plus
one FLOP an element for every other operation that computes: its largest input or output counts
once. Views, copies, gathers and factories count nothing. So an ``exp`` is one FLOP an element, a sum
one an input element, and a pooling window is not multiplied out.

Memory is what one call of the reference needs at least: inputs, parameters, and either the outputs
or the largest single tensor that is made on the way, whichever is more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from kernelopt.errors import TaskError
from kernelopt.suites._load import load, make_inputs, make_model, run_model
from kernelopt.suites._size import Facts, TensorFacts, remember, remembered, too_big
from kernelopt.task import Task

_COPIES = {"clone", "copy", "copy_", "_to_copy", "contiguous", "detach", "lift_fresh", "resize_", "set_"}
_GATHERS = {"cat", "stack", "index", "gather", "index_select", "select_scatter", "slice_scatter", "embedding"}
_ARRANGES = {"repeat", "roll", "flip", "constant_pad_nd"}
_FILLS = {"fill_", "zero_", "uniform_", "normal_", "bernoulli_", "random_", "native_dropout"}
_DRAWS = {"rand", "randn", "randint", "randperm", "arange", "scalar_tensor", "empty_strided"}
_MADE = {
    form.format(kind) for kind in ("empty", "zeros", "ones", "full") for form in ("{}", "new_{}", "{}_like")
}
_MOVES = _COPIES | _GATHERS | _ARRANGES | _FILLS | _DRAWS | _MADE
"""Operations that make or move elements without computing on them."""


@lru_cache(maxsize=1024)
def facts(task: Task) -> Facts:
    """Shapes, bytes and FLOPs of one task, remembered on disk; nothing large is allocated.

    Raises:
        TaskError: the module does not load, or its inputs or model cannot be made on the meta device.
    """
    found = remembered(task)
    if found is None:
        found = _traced(task)
        remember(task, found)
    return found


def _traced(task: Task) -> Facts:
    module = load(task)
    inputs = make_inputs(module, seed=0, device="meta")
    model = make_model(module, seed=0, device="meta")
    state = _tensors([*model.parameters(), *model.buffers()])
    found = Facts(
        inputs=_tensors(inputs),
        parameters=sum(math.prod(tensor.shape) for tensor in state),
        parameter_bytes=sum(tensor.bytes for tensor in state),
    )
    try:
        return _with_forward(found, module, model, inputs)
    except TaskError as error:
        return replace(found, note=f"output and FLOPs unknown: {error}")


def fits(task: Task, available_bytes: int) -> str | None:
    """Why the task cannot run in that much memory, with the bytes; None when it can or nobody knows."""
    try:
        return too_big(facts(task), available_bytes)
    except TaskError:
        return None


def _with_forward(found: Facts, module: ModuleType, model: torch.nn.Module, inputs: list[Any]) -> Facts:
    elements, products = _ElementCounter(), FlopCounterMode(display=False)
    with torch.device("meta"), elements, products:
        outputs = run_model(module, model, inputs)
    return replace(
        found,
        outputs=_tensors(outputs),
        flops=int(products.get_total_flops()) + elements.flops,
        largest_bytes=elements.largest_bytes,
    )


def leaves(value: Any) -> Iterator[torch.Tensor]:
    """Every tensor in nested lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from leaves(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


def _tensors(value: Any) -> tuple[TensorFacts, ...]:
    return tuple(
        TensorFacts(tuple(each.shape), str(each.dtype).removeprefix("torch."), _bytes(each))
        for each in leaves(value)
    )


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


class _ElementCounter(TorchDispatchMode):  # type: ignore[no-untyped-call,unused-ignore]
    """Counts one FLOP an element for operations that torch's own counter leaves out."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.flops = 0
        self.largest_bytes = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: torch would import its compiler, which takes a second, only to keep away from this."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func.is_view:
            return out
        made = list(leaves(out))
        self.largest_bytes = max([self.largest_bytes, *map(_bytes, made)])
        name = func.overloadpacket.__name__
        if func.overloadpacket not in flop_registry and name not in _MOVES:
            self.flops += max((each.numel() for each in [*made, *leaves(args)]), default=0)
        return out
