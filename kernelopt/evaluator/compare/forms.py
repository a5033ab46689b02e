"""Claims about outputs → verdict: number, types, shapes, strides and places, before any value is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Protocol

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.expected.sample import Wanted, overlaps
from kernelopt.evaluator.workers.claims import Layout, layout_of, meet, told


class Form(Protocol):
    """What an output looks like, whatever it holds."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the output."""

    @property
    def shape(self) -> Sequence[int]:
        """Of the output."""

    @property
    def overlaps(self) -> bool:
        """Whether elements may share memory."""


def misformed(workload_id: str, claims: Sequence[dict[str, Any]], wanted: Sequence[Form]) -> Check | None:
    """What is wrong with outputs that nothing has been read of yet: their number, types, shapes, strides."""
    failed = number(workload_id, claims, wanted)
    pairs = zip(claims, wanted, strict=False)
    checks = (_form(workload_id, *pair) or _shared(workload_id, *pair) for pair in pairs)
    return failed or next((check for check in checks if check), None)


def fits(claim: dict[str, Any], wanted: Form) -> bool:
    """Whether an output is said to be of the type and shape of what is wanted."""
    return _form("", claim, wanted) is None


def misplaced(
    workload_id: str, claim: dict[str, Any], out: torch.Tensor | None, wanted: Wanted, inputs: range | None
) -> Check | None:
    """What is wrong with one output but for its values.

    Args:
        workload_id: of the input set.
        claim: what the worker said of the output.
        out: the judge's own copy, or None where none could be made.
        wanted: what is expected.
        inputs: where the inputs lie in the worker's memory, in bytes.
    """
    return (
        _form(workload_id, claim, wanted)
        or _place(workload_id, claim, out)
        or _shared(workload_id, claim, wanted)
        or _alias(workload_id, claim, wanted, inputs)
    )


def joined(workload_id: str, claims: Sequence[dict[str, Any]], wanted: Sequence[Wanted]) -> Check | None:
    """Whether outputs share memory that the reference's do not: who writes to one would change the other."""
    layouts = [layout_of(claim, str(claim.get("device"))) for claim in claims]
    at = [claim.get("ptr") for claim in claims]
    found = next(shared_pairs(at, layouts, [one.home for one in wanted]), None)
    if found is None:
        return None
    detail = f"outputs {found[0]} and {found[1]} lie in the same memory"
    return Check(workload_id, Status.WRONG_VALUE, detail=detail)


def shared_pairs(
    at: Sequence[object], layouts: Sequence[Layout | None], homes: Sequence[int | None]
) -> Iterator[tuple[int, int]]:
    """Pairs of outputs at addresses `at` that share an element, and belong to different `homes`."""
    for (i, one), (j, other) in combinations(enumerate(layouts), 2):
        here, there = at[i], at[j]
        if one is None or other is None or type(here) is not int or type(there) is not int:
            continue
        if homes[i] != homes[j] and None not in (homes[i], homes[j]) and meet(here, one, there, other):
            yield i, j


def number(workload_id: str, claims: Sequence[object], wanted: Sequence[object]) -> Check | None:
    """What is wrong with how many outputs there are."""
    if len(claims) == len(wanted):
        return None
    detail = f"returned {len(claims)} outputs, expected {len(wanted)}"
    return Check(workload_id, Status.WRONG_SHAPE, detail=detail)


def _form(workload_id: str, claim: dict[str, Any], wanted: Form) -> Check | None:
    """Exact type, shape and dtype, before any value is looked at."""
    name, shape = str(wanted.dtype).removeprefix("torch."), list(wanted.shape)
    if claim.get("type") != "torch.Tensor":
        detail = f"returned a {told(claim.get('type'))}, not torch.Tensor"
        return Check(workload_id, Status.WRONG_DTYPE, detail=detail)
    if claim.get("shape") != shape:
        detail = f"shape {told(claim.get('shape'))}, expected {shape}"
        return Check(workload_id, Status.WRONG_SHAPE, detail=detail)
    if claim.get("dtype") != name:
        detail = f"dtype {told(claim.get('dtype'))}, expected {name}"
        return Check(workload_id, Status.WRONG_DTYPE, detail=detail)
    return None


def _place(workload_id: str, claim: dict[str, Any], out: torch.Tensor | None) -> Check | None:
    if out is not None:
        return None
    detail = f"output on device {told(claim.get('device'))}"
    return Check(workload_id, Status.WRONG_DTYPE, detail=detail)


def _shared(workload_id: str, claim: dict[str, Any], wanted: Form) -> Check | None:
    """An output has memory of its own for every element, unless the reference's own has not."""
    stride = claim.get("stride")
    if stride is None or wanted.overlaps or not _is_shared(claim, stride):
        return None
    detail = f"elements of the output share memory (strides {told(stride)})"
    return Check(workload_id, Status.WRONG_SHAPE, detail=detail)


def _alias(workload_id: str, claim: dict[str, Any], wanted: Wanted, inputs: range | None) -> Check | None:
    address = claim.get("ptr")
    if inputs is not None and type(address) is int and address in inputs and not wanted.aliases:
        detail = "the output lies in the memory of an input"
        return Check(workload_id, Status.WRONG_VALUE, detail=detail)
    return None


def _is_shared(claim: dict[str, Any], stride: Any) -> bool:
    shape = claim["shape"]
    sane = isinstance(stride, list) and len(stride) == len(shape) and all(type(n) is int for n in stride)
    return not sane or (0 not in shape and overlaps(shape, stride))
