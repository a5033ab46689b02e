"""The least time that a task needs, and what PyTorch's own operators move on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.gpu.catalogue import Entry
from kernelopt.suites._facts import facts, leaves
from kernelopt.suites._load import load, make_inputs, make_model, run_model
from kernelopt.task import Task


@dataclass(frozen=True, slots=True)
class Roof:
    """The speed of light of one task on one device."""

    least_bytes: int
    """Each input, parameter and output once."""
    flops: int
    eager_bytes: int
    """What PyTorch's operators read and write one after the other: once an operand or result."""
    seconds: float
    """The longer of bytes over copy bandwidth and, for a product, FLOPs over the bfloat16 rate."""
    bound: str
    """``memory`` or ``bfloat16``."""

    @property
    def predicted(self) -> float | None:
        """Speedup over eager that the byte counts promise; None where bytes are not what counts."""
        return self.eager_bytes / self.least_bytes if self.bound == "memory" else None


def roof(entry: Entry, task: Task, bytes_per_s: float, flops_per_s: Mapping[str, float]) -> Roof:
    """Counted on shapes alone (torch's meta device)."""
    found = facts(task)
    memory, product = found.bytes_moved / bytes_per_s, 0.0
    if entry.product and found.flops:
        product = found.flops / flops_per_s["bfloat16"]
    bound = "bfloat16" if product > memory else "memory"
    return Roof(found.bytes_moved, found.flops or 0, eager_bytes(task), max(memory, product), bound)


def eager_bytes(task: Task) -> int:
    """Bytes of the operands and results of every operator that is no view."""
    module = load(task)
    inputs, model = make_inputs(module, 0, "meta"), make_model(module, 0, "meta")
    with torch.device("meta"), _Traffic() as traffic:
        run_model(module, model, inputs)
    return traffic.bytes


class _Traffic(TorchDispatchMode):
    """Adds up what operators touch."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            touched = {id(one): one for one in [*leaves(list(args)), *leaves(out)]}
            self.bytes += sum(one.numel() * one.element_size() for one in touched.values())
        return out
