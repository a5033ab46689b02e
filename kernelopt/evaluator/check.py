"""Outputs → verdict: one comparison with the fp64 reference, on the judge's own copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.arena import leaves
from kernelopt.evaluator.claims import told
from kernelopt.evaluator.mismatch import analyse
from kernelopt.evaluator.precision import WIDEST, evidence, of_size
from kernelopt.evaluator.sample import Sample, Wanted, overlaps, real, same_bits
from kernelopt.evaluator.scan import scan
from kernelopt.suites._trivial import FLOOR
from kernelopt.task import Tolerance

UNUSUAL = 16
"""An output is held to its own scale, or to this part of its scale on the task's own inputs: behind a
tanh of almost zero, errors are those of the numbers in between."""
SHAKEN = 0.25
"""Part of `Settings.error_factor` that applies to the sensitivity to rounding. That one is larger than
PyTorch's own error by 3 to 15 times over the bundled tasks, being the worst of all signs at every step."""
COARSE = 1 / 16
"""Part of the factor that applies to half types: their error is the rounding of the output, which no
other order of summation multiplies."""


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


def tolerance(
    rms: float,
    eager_error: float,
    dtype: torch.dtype,
    factor: float,
    *,
    sensitivity: float = 0.0,
    usual: float = 0.0,
) -> Tolerance:
    """What an output may miss: the floor of its dtype, or `factor` times PyTorch's own error.

    ``atol = max(floor * max(rms, usual / 16), factor * eager_error, factor / 4 * sensitivity)`` and
    ``rtol = floor``; for half types a sixteenth of `factor`. The absolute part scales with `rms`, the
    root mean square of the output, so that an output of small numbers is not passed by zeros.

    Args:
        rms: of the output in fp64.
        eager_error: largest error of PyTorch's own result, in units of the output.
        dtype: of the output.
        factor: `Settings.error_factor`.
        sensitivity: how far rounding moves the output (see `sensitivity`), in its units.
        usual: `rms` on the task's own inputs.
    """
    floor = FLOOR.get(dtype, 0.0)
    scale = max(rms, usual / UNUSUAL)
    factor *= COARSE if dtype in (torch.float16, torch.bfloat16) else 1.0
    atol = max(floor * scale, factor * eager_error, SHAKEN * factor * sensitivity)
    return Tolerance(atol=atol, rtol=floor)


def allowance(wanted: Wanted, factor: float, override: Tolerance | None = None) -> Tolerance:
    """The tolerance of one output: the task's own (`override`), or made from its figures."""
    if override:
        return override
    figures = {"sensitivity": wanted.sensitivity, "usual": wanted.usual}
    return tolerance(wanted.rms, wanted.eager_error, wanted.kind, factor, **figures)


def reduced(wanted: Wanted, name: str, factor: float) -> Tolerance:
    """What an output may miss where arithmetic of a shorter type is allowed.

    The floor of that type, and what rounding moves, in proportion to its units in the last place.
    """
    floor, short = FLOOR[WIDEST[name]], torch.finfo(WIDEST[name]).eps
    usual = allowance(wanted, factor)
    moved = 4 * wanted.sensitivity * short / torch.finfo(torch.float32).eps
    return Tolerance(atol=max(floor * max(wanted.rms, wanted.usual), moved, usual.atol), rtol=floor)


def compare(
    sample: Sample,
    claims: Sequence[dict[str, Any]],
    actual: Sequence[torch.Tensor | None],
    *,
    factor: float,
    override: Tolerance | None = None,
    inputs: range | None = None,
    allow_reduced: bool = False,
) -> Check:
    """Compare every output; the first that fails decides.

    Args:
        sample: the input set, with the fp64 outputs that are expected of it.
        claims: what the worker said of each output (type, dtype, shape, stride, device, ptr).
        actual: the judge's own copy of each output, or None where none could be made.
        factor: `Settings.error_factor`.
        override: the task's own tolerance.
        inputs: where the inputs lie in the worker's memory, in bytes.
        allow_reduced: let float16, tf32 and bfloat16 arithmetic pass in a float32 task.
    """
    workload_id = sample.workload.id
    if failed := _number(workload_id, claims, sample.outputs):
        return failed
    worst: Check | None = None
    for claim, out, wanted in zip(claims, actual, sample.outputs, strict=True):
        failed = (
            _form(workload_id, claim, wanted)
            or _place(workload_id, claim, out)
            or _shared(workload_id, claim, wanted)
            or _alias(workload_id, claim, wanted, inputs)
        )
        if failed:
            return failed
        assert out is not None
        numbers = real(out)
        check = _values(sample, wanted, numbers, allowance(wanted, factor, override))
        if override is None:
            check = _precise(sample, wanted, numbers, check, factor if allow_reduced else None)
        if check.status is not Status.PASSED:
            return check
        worst = max(worst, check, key=lambda c: c.max_abs_error or 0.0) if worst else check
    return worst or Check(workload_id, Status.PASSED)


def misformed(workload_id: str, claims: Sequence[dict[str, Any]], wanted: Sequence[Form]) -> Check | None:
    """What is wrong with outputs that nothing has been read of yet: their number, types, shapes, strides."""
    failed = _number(workload_id, claims, wanted)
    pairs = zip(claims, wanted, strict=False)
    checks = (_form(workload_id, *pair) or _shared(workload_id, *pair) for pair in pairs)
    return failed or next((check for check in checks if check), None)


def fits(claim: dict[str, Any], wanted: Form) -> bool:
    """Whether an output is said to be of the type and shape of what is wanted."""
    return _form("", claim, wanted) is None


def written(sample: Sample, inputs: Sequence[torch.Tensor], *, factor: float) -> Check | None:
    """What is wrong with the inputs after the call; None when nothing is.

    They must be untouched, bit for bit, but for those that the reference writes to: they must hold
    what they hold after the reference's call.

    Args:
        sample: the input set as it was before.
        inputs: its tensors as they are now, in order.
        factor: `Settings.error_factor`.
    """
    for index, (before, now) in enumerate(zip(leaves(sample.args), inputs, strict=True)):
        wanted = sample.after.get(index)
        if wanted is None and not same_bits(before, now):
            detail = f"the kernel writes to its inputs (tensor {index})"
            return Check(sample.workload.id, Status.WRONG_VALUE, detail=detail)
        if wanted is not None:
            check = _values(sample, wanted, real(now), allowance(wanted, factor))
            if check.status is not Status.PASSED:
                detail = f"inputs after the call: {check.detail} (tensor {index})"
                return replace(check, detail=detail)
    return None


def _number(workload_id: str, claims: Sequence[object], wanted: Sequence[object]) -> Check | None:
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


def _values(sample: Sample, wanted: Wanted, out: torch.Tensor, allowed: Tolerance) -> Check:
    workload_id, want = sample.workload.id, wanted.value
    if not want.is_floating_point():
        return _exact(workload_id, out, want)
    wrong, worst, relative = scan(out, want, allowed, wanted.halves)
    facts: dict[str, Any] = {}
    status, detail = Status.PASSED, ""
    if wrong:
        status = Status.WRONG_VALUE
        detail = f"{wrong} of {want.numel()} elements are wrong"
        facts = analyse(out, want, atol=allowed.atol, rtol=allowed.rtol, inputs=leaves(sample.args))
    error = wanted.eager_error
    return Check(workload_id, status, worst, relative, error, allowed.atol, allowed.rtol, detail, facts)


def _precise(sample: Sample, wanted: Wanted, out: torch.Tensor, check: Check, factor: float | None) -> Check:
    """The check with what its errors say of the arithmetic; a shorter type fails, unless `factor` is set."""
    patterns = list(check.mismatch.get("patterns", []))
    fact = evidence(out, wanted)
    if fact is None and any(pattern["kind"] == "small_errors" for pattern in patterns):
        fact = of_size(out, wanted)
    if fact is None:
        return check
    looks = f"the error looks like {fact['type']} arithmetic"
    facts = {**check.mismatch, "patterns": [fact, *patterns]}
    if factor is not None:
        loose = _values(sample, wanted, out, reduced(wanted, fact["type"], factor))
        if loose.status is Status.PASSED:
            return replace(loose, detail=looks, mismatch=facts)
    detail = f"{check.detail}; {looks}" if check.detail else f"{looks}, within the tolerance"
    return replace(check, status=Status.WRONG_VALUE, detail=detail, mismatch=facts)


def _exact(workload_id: str, out: torch.Tensor, want: torch.Tensor) -> Check:
    """Integers and booleans must agree exactly."""
    wrong = int((out != want).sum())
    if not wrong:
        return Check(workload_id, Status.PASSED, 0.0, 0.0, 0.0, 0.0, 0.0)
    detail = f"{wrong} of {want.numel()} elements are wrong"
    return Check(
        workload_id, Status.WRONG_VALUE, detail=detail, mismatch=analyse(out, want, atol=0.0, rtol=0.0)
    )
