"""Claims about outputs → verdict: number, types, shapes, strides and places, before any value is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.expected.sample import Wanted, overlaps
from kernelopt.evaluator.workers.claims import told


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
