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
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from kernelopt.errors import TaskError
from kernelopt.suites._load import load, make_inputs, make_model, run_model
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


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """Shape and type of one tensor."""

    shape: tuple[int, ...]
    dtype: str
    """As in torch, without the prefix: ``float32``."""
    bytes: int

    def __str__(self) -> str:
        """For tables: ``float32[64, 128]``."""
        return f"{self.dtype}{list(self.shape)}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What one call of a task's reference reads, computes and writes."""

    inputs: tuple[TensorFacts, ...]
    """The tensors among the inputs, nested ones included; numbers and flags are left out."""
    parameters: int
    """Elements of all parameters and buffers."""
    parameter_bytes: int
    outputs: tuple[TensorFacts, ...] | None = None
    """None when the reference does not run on meta tensors; `note` says why."""
    flops: int | None = None
    largest_bytes: int = 0
    """Bytes of the largest tensor that any one operation makes."""
    note: str = ""

    @property
    def input_bytes(self) -> int:
        """Bytes of all input tensors."""
        return sum(tensor.bytes for tensor in self.inputs)

    @property
    def output_bytes(self) -> int:
        """Bytes of all output tensors; 0 when they are unknown."""
        return sum(tensor.bytes for tensor in self.outputs or ())

    @property
    def bytes_moved(self) -> int:
        """Each input, parameter and output once: the least traffic that any kernel needs."""
        return self.input_bytes + self.parameter_bytes + self.output_bytes

    @property
    def memory_bytes(self) -> int:
        """What one call of the reference needs at least."""
        return self.input_bytes + self.parameter_bytes + max(self.output_bytes, self.largest_bytes)


@lru_cache(maxsize=1024)
def facts(task: Task) -> Facts:
    """Shapes, bytes and FLOPs of one task; nothing large is allocated.

    Raises:
        TaskError: the module does not load, or its inputs or model cannot be made on the meta device.
    """
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
        found = facts(task)
    except TaskError:
        return None
    if found.memory_bytes <= available_bytes:
        return None
    return (
        f"needs {amount(found.memory_bytes)}B of memory ({found.memory_bytes} bytes; inputs "
        f"{amount(found.input_bytes)}B, parameters {amount(found.parameter_bytes)}B), "
        f"{amount(available_bytes)}B are available"
    )


def amount(number: float) -> str:
    """A count with a decimal prefix and three digits: ``17.2 G``, ``400 M``, ``12 ``."""
    for prefix in ("", "k", "M", "G", "T"):
        if abs(number) < 999.5 or prefix == "T":
            break
        number /= 1000
    digits = f"{number:.0f}" if number == int(number) or abs(number) >= 99.95 else f"{number:.3g}"
    return f"{digits} {prefix}"


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
