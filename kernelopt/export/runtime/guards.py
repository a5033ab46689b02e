"""Which calls a kernel was verified for: dtypes, layouts, alignment, sizes and plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Match:
    """A call that fits the measured pattern."""

    sizes: tuple[int, ...]
    """Values of the free sizes, in the order of their names."""
    known: bool
    """These very sizes were tested against the reference."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one argument has to be like."""

    name: str
    kind: str
    """``tensor``, ``state`` (a parameter or buffer: its layout does not matter) or ``number``."""
    dtype: str = ""
    shape: tuple[int | str, ...] = ()
    """A number is fixed, a name is a free size."""
    order: tuple[int, ...] = ()
    """Axes from the outermost in memory to the innermost; empty for any layout."""
    value: Any = None


class Domain:
    """The verified domain of one kernel. It grows by sizes that are checked in use, and only by those."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        """`record`: the part ``domain`` of a kernel in ``table.json``."""
        self.rules = [_rule(rule) for rule in record["arguments"]]
        self.sizes: dict[str, tuple[int, int]] = {
            name: (low, high) for name, (low, high) in record["sizes"].items()
        }
        self.alignment = int(record["alignment"])
        self.unseen = bool(record["unseen"])
        self._tested = {tuple(sizes) for sizes in record["tested"]}
        self._refused: set[tuple[int, ...]] = set()

    def look(self, arguments: Sequence[Any]) -> Match | str:
        """How a call fits, or in one sentence why it does not."""
        sizes: dict[str, int] = {}
        for rule, value in zip(self.rules, arguments, strict=True):
            if reason := self._misfit(rule, value, sizes):
                return reason
        found = tuple(sizes[name] for name in sorted(self.sizes))
        shown = ", ".join(f"{name}={size}" for name, size in zip(sorted(self.sizes), found, strict=True))
        if found in self._refused:
            return f"the kernel does not work for {shown or 'this call'}"
        if found in self._tested:
            return Match(found, known=True)
        if not self.unseen:
            return f"{shown or 'this call'} was not verified"
        for name, (low, high) in self.sizes.items():
            if not low <= sizes[name] <= high:
                return f"{name}={sizes[name]} is outside of the verified {low} to {high}"
        return Match(found, known=False)

    def accept(self, match: Match) -> None:
        """The kernel agreed with the reference for these sizes."""
        self._tested.add(match.sizes)

    def refuse(self, match: Match) -> None:
        """It did not."""
        self._refused.add(match.sizes)

    def _misfit(self, rule: Rule, value: Any, sizes: dict[str, int]) -> str:
        """Why one argument does not fit; empty where it does. Its free sizes are put into `sizes`."""
        if rule.kind == "number":
            same = type(value) is type(rule.value) and value == rule.value
            return "" if same else f"{rule.name}={value!r} was not verified, only {rule.value!r}"
        if str(value.dtype) != f"torch.{rule.dtype}":
            return f"{rule.name} is {str(value.dtype)[6:]}, verified is {rule.dtype}"
        if value.layout is not torch.strided or not _has_shape(rule, value, sizes):
            return f"{rule.name} has the shape {tuple(value.shape)}, verified are {list(rule.shape)}"
        return "" if rule.kind == "state" else self._misplaced(rule, value)

    def _misplaced(self, rule: Rule, value: torch.Tensor) -> str:
        if not _in_order(value, rule.order):
            return f"{rule.name} has strides {tuple(value.stride())}, which were not verified"
        if value.data_ptr() % self.alignment:
            return f"{rule.name} is not aligned to {self.alignment} bytes"
        return ""


def _has_shape(rule: Rule, value: torch.Tensor, sizes: dict[str, int]) -> bool:
    pairs = zip(rule.shape, value.shape, strict=False)
    return value.ndim == len(rule.shape) and all(
        size == (sizes.setdefault(wanted, size) if isinstance(wanted, str) else wanted)
        for wanted, size in pairs
    )


def _in_order(tensor: torch.Tensor, order: tuple[int, ...]) -> bool:
    """Whether a tensor is dense with its axes in this order."""
    if order == tuple(range(tensor.ndim)):
        return tensor.is_contiguous()
    return not order or tensor.permute(order).is_contiguous()


def _rule(record: Mapping[str, Any]) -> Rule:
    lists = {name: tuple(record.get(name, ())) for name in ("shape", "order")}
    return Rule(record["name"], record["kind"], record.get("dtype", ""), **lists, value=record.get("value"))
