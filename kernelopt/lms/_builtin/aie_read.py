"""What a prompt says of a task for the NPU, and lines that kernels of every family share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SIGNATURE = re.compile(r"^void (\w+)\(([^()]*)\) \{", re.MULTILINE)
_SIZE = re.compile(r"^ \*\s+\w+\[([\d, ]+)\] (\w+) \((?:input|output)\)$", re.MULTILINE)
_PARAM = re.compile(r"^ \*\s+\w+ (\w+) = (-?[\d.e+-]+)$", re.MULTILINE)
_MARGIN = re.compile(r"^\s*/?\*", re.MULTILINE)
"""Of the lines of a C comment."""


class UnknownKernel(Exception):
    """The student has no idea how to write this kernel."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a prompt says of a task."""

    name: str
    signature: str
    pointers: tuple[tuple[str, str], ...]
    """(C type, name) of each buffer, the output last."""
    shapes: Mapping[str, tuple[int, ...]]
    """Of each buffer, by name."""
    params: Mapping[str, float]
    """Values that are set at run time, by name."""
    text: str
    """The description, in one line."""

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """The buffers that are read."""
        return self.pointers[:-1]

    @property
    def elements(self) -> int:
        """Of the first input."""
        return self.size(0)

    def size(self, pointer: int) -> int:
        """Elements of one buffer; 0 where the prompt does not say."""
        shape = self.shapes.get(self.pointers[pointer][1])
        return 0 if shape is None else math.prod(shape)


def read(task: str) -> Read:
    """The task of a prompt.

    Raises:
        UnknownKernel: it holds no function.
    """
    head = _SIGNATURE.search(task)
    if head is None:
        raise UnknownKernel("no function")
    pointers = tuple(
        (part.replace("const", "").split("*")[0].strip(), part.split("*")[1].strip())
        for part in head[2].split(",")
        if "*" in part
    )
    shapes = {name: tuple(int(n) for n in shape.split(",")) for shape, name in _SIZE.findall(task)}
    params = {name: float(value) for name, value in _PARAM.findall(task)}
    text = " ".join(_MARGIN.sub("", task.partition(">>>")[0]).split())
    return Read(head[1], head[0].removesuffix(" {"), pointers, shapes, params, text)


def local_pointers(found: Read, names: Sequence[str], skills: frozenset[str]) -> list[str]:
    """Pointers of the kernel's own to the first inputs, and ``to`` to the output."""
    word = "__restrict " if "restrict" in skills else ""
    lines = [
        f"const {kind} *{word}{own} = {name};" for own, (kind, name) in zip(names, found.inputs, strict=False)
    ]
    kind, name = found.pointers[-1]
    return [*lines, f"{kind} *{word}to = {name};"]


def loop_hints(trips: int, skills: frozenset[str]) -> list[str]:
    """What stands before a loop of so many iterations."""
    if "pipeline" not in skills:
        return []
    return ["AIE_PREPARE_FOR_PIPELINING", f"AIE_LOOP_MIN_ITERATION_COUNT({trips})"]


def unrolled(skills: frozenset[str]) -> list[str]:
    """What stands before a short loop whose values stay in registers."""
    return ["AIE_LOOP_UNROLL_FULL"] if "pipeline" in skills else []


def indented(lines: Sequence[str]) -> list[str]:
    """One step further in."""
    return [f"    {line}" for line in lines]
