"""Outputs → verdict: one comparison with the fp64 reference, on the judge's own copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.compare.forms import joined, misplaced, number
from kernelopt.evaluator.compare.mismatch import analyse
from kernelopt.evaluator.compare.precision import evidence, of_size
from kernelopt.evaluator.compare.scan import scan
from kernelopt.evaluator.compare.tolerances import allowances, reduced
from kernelopt.evaluator.data.arena import leaves
from kernelopt.evaluator.expected.sample import FLIPPED, Sample, Wanted, real, same_bits
from kernelopt.task import Tolerance


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
    if failed := number(workload_id, claims, sample.outputs):
        return failed
    worst: Check | None = None
    for claim, out, wanted in zip(claims, actual, sample.outputs, strict=True):
        if failed := misplaced(workload_id, claim, out, wanted, inputs):
            return failed
        assert out is not None
        numbers = real(out)
        check = _values(sample, wanted, numbers, *allowances(wanted, factor, override))
        if override is None:
            check = _precise(sample, wanted, numbers, check, factor if allow_reduced else None)
        if check.status is not Status.PASSED:
            return check
        worst = max(worst, check, key=lambda c: c.max_abs_error or 0.0) if worst else check
    if failed := joined(workload_id, claims, sample.outputs):
        return failed
    return worst or Check(workload_id, Status.PASSED)


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
            check = _values(sample, wanted, real(now), *allowances(wanted, factor))
            if check.status is not Status.PASSED:
                detail = f"inputs after the call: {check.detail} (tensor {index})"
                return replace(check, detail=detail)
    return None


def _values(sample: Sample, wanted: Wanted, out: torch.Tensor, *allowed: Tolerance) -> Check:
    """The check of the first tolerance that is not met; else that of the first."""
    found = [_within(sample, wanted, out, one) for one in allowed]
    return next((check for check in found if check.status is not Status.PASSED), found[0])


def _within(sample: Sample, wanted: Wanted, out: torch.Tensor, allowed: Tolerance) -> Check:
    workload_id = sample.workload.id
    if not wanted.numbers:
        return _exact(workload_id, out, wanted.value, int(FLIPPED * wanted.sensitivity))
    wrong, worst, relative = scan(out, wanted.held, allowed)
    facts: dict[str, Any] = {}
    status, detail = Status.PASSED, ""
    if wrong:
        status = Status.WRONG_VALUE
        detail = f"{wrong} of {out.numel()} elements are wrong"
        facts = analyse(out, wanted.value, atol=allowed.atol, rtol=allowed.rtol, inputs=leaves(sample.args))
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


def _exact(workload_id: str, out: torch.Tensor, want: torch.Tensor, most: int) -> Check:
    """Integers and booleans must agree, but for the few (at `most`) that rounding explains."""
    wrong = int((out != want).sum())
    if wrong <= most:
        return Check(workload_id, Status.PASSED, 0.0, 0.0, 0.0, 0.0, 0.0)
    detail = f"{wrong} of {want.numel()} elements are wrong"
    return Check(
        workload_id, Status.WRONG_VALUE, detail=detail, mismatch=analyse(out, want, atol=0.0, rtol=0.0)
    )
