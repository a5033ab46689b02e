"""How large a task is: its figures, what they are worth, and the file that keeps them.

Nothing here imports torch: a command that knows its task starts at once.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kernelopt.resources import cache_dir
from kernelopt.task import Task

SCHEMA = 1
"""Counts up when `_facts` counts otherwise, so that figures of an older way are not believed."""


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


def too_big(found: Facts, available_bytes: int) -> str | None:
    """Why a task cannot run in that much memory, with the bytes; None when it can."""
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


def remembered(task: Task) -> Facts | None:
    """What was found of this text before, with this torch; None where nothing was, or it cannot be read."""
    try:
        found = json.loads(_path(task).read_text(encoding="utf-8"))
        inputs, outputs = _tensors(found.pop("inputs")), found.pop("outputs")
        return Facts(inputs, outputs=None if outputs is None else _tensors(outputs), **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def remember(task: Task, found: Facts) -> None:
    """Keep it for the next command; a folder that cannot be written is done without."""
    path = _path(task)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump(asdict(found), file)
        os.replace(file.name, path)  # noqa: PTH105  (atomic: readers see the old file or the new one)
    except OSError:
        return


def _path(task: Task) -> Path:
    return cache_dir() / "facts" / f"{SCHEMA}-{task.hash}-{version('torch')}.json"


def _tensors(found: list[dict[str, Any]]) -> tuple[TensorFacts, ...]:
    return tuple(TensorFacts(tuple(each.pop("shape")), **each) for each in found)
