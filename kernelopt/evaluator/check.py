"""Outputs → verdict: one comparison with the fp64 reference, on the judge's own copy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.arena import leaves
from kernelopt.evaluator.mismatch import analyse
from kernelopt.evaluator.reference import Sample
from kernelopt.task import Tolerance

FLOOR = {torch.float64: 1e-9, torch.float32: 2e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}
"""Least relative tolerance per dtype: 2e-5 leaves an fp32 kernel about 170 units in the last place
(a different summation order, a polynomial `exp`), but no fp16 or tf32 arithmetic, which errs by 5e-4.
For the half types it is two units in the last place."""


def tolerance(rms: float, eager_error: float, dtype: torch.dtype, factor: float) -> Tolerance:
    """What an output may miss: the floor of its dtype, or `factor` times PyTorch's own error.

    The absolute part scales with `rms`, the root mean square of the output, so that an output of
    small numbers is not passed by zeros.
    """
    floor = FLOOR.get(dtype, 0.0)
    return Tolerance(atol=max(floor * rms, factor * eager_error), rtol=floor)


def compare(
    sample: Sample,
    claims: Sequence[dict[str, Any]],
    actual: Sequence[torch.Tensor | None],
    *,
    factor: float,
    override: Tolerance | None = None,
) -> Check:
    """Compare every output; the first that fails decides.

    Args:
        sample: the input set, with the fp64 outputs that are expected of it.
        claims: what the worker said of each output (type, dtype, shape, device).
        actual: the judge's own copy of each output, or None where none could be made.
        factor: `Settings.error_factor`.
        override: the task's own tolerance.
    """
    workload_id, expected = sample.workload.id, sample.expected
    if len(claims) != len(expected):
        detail = f"returned {len(claims)} outputs, expected {len(expected)}"
        return Check(workload_id, Status.WRONG_SHAPE, detail=detail)
    worst: Check | None = None
    for index, (claim, out, want) in enumerate(zip(claims, actual, expected, strict=True)):
        failed = _form(workload_id, claim, out, want, sample.dtypes[index])
        if failed:
            return failed
        assert out is not None
        eager_error = sample.eager_errors[index]
        allowed = override or tolerance(sample.rms[index], eager_error, sample.dtypes[index], factor)
        check = _values(sample, index, out, allowed)
        if check.status is not Status.PASSED:
            return check
        worst = max(worst, check, key=lambda c: c.max_abs_error or 0.0) if worst else check
    return worst or Check(workload_id, Status.PASSED)


def _form(
    workload_id: str, claim: dict[str, Any], out: torch.Tensor | None, want: torch.Tensor, dtype: torch.dtype
) -> Check | None:
    """Exact type, shape, dtype and device, before any value is looked at."""
    name = str(dtype).removeprefix("torch.")
    if claim.get("type") != "torch.Tensor":
        return Check(
            workload_id, Status.WRONG_DTYPE, detail=f"returned a {claim.get('type')}, not torch.Tensor"
        )
    if list(claim.get("shape", [])) != list(want.shape):
        detail = f"shape {claim.get('shape')}, expected {list(want.shape)}"
        return Check(workload_id, Status.WRONG_SHAPE, detail=detail)
    if claim.get("dtype") != name:
        return Check(workload_id, Status.WRONG_DTYPE, detail=f"dtype {claim.get('dtype')}, expected {name}")
    if out is None:
        return Check(workload_id, Status.WRONG_DTYPE, detail=f"output on device {claim.get('device')}")
    return None


def _values(sample: Sample, index: int, out: torch.Tensor, allowed: Tolerance) -> Check:
    workload_id, want = sample.workload.id, sample.expected[index]
    eager_error = sample.eager_errors[index]
    if not want.is_floating_point():
        return _exact(workload_id, out, want)
    wrong, worst, relative = scan(out, want, allowed)
    facts: dict[str, Any] = {}
    status, detail = Status.PASSED, ""
    if wrong:
        status = Status.WRONG_VALUE
        detail = f"{wrong} of {want.numel()} elements are wrong"
        facts = analyse(out, want, atol=allowed.atol, rtol=allowed.rtol, inputs=leaves(sample.args))
    return Check(workload_id, status, worst, relative, eager_error, allowed.atol, allowed.rtol, detail, facts)


CHUNK = 1 << 17
"""Elements compared at a time: their temporaries fit in a second-level cache."""


def scan(out: torch.Tensor, want: torch.Tensor, allowed: Tolerance) -> tuple[int, float, float]:
    """Elements outside of `allowed`, largest absolute error, largest error relative to |want|.

    Where `want` is NaN or infinite the same is asked for. Errors are over finite pairs; relative
    ones count only where |want| exceeds `allowed.atol`.
    """
    wrong, worst, relative = 0, 0.0, 0.0
    flat_out, flat_want = out.reshape(-1), want.reshape(-1)
    for start in range(0, want.numel(), CHUNK):
        w = flat_want[start : start + CHUNK]
        o = flat_out[start : start + CHUNK].double()
        error, size = (o - w).abs_(), w.abs()
        good = error <= size * allowed.rtol + allowed.atol
        if not math.isfinite(float(error.sum())):
            good = torch.where(w.isfinite(), good, (o == w) | (o.isnan() & w.isnan()))
            finite = error.isfinite()
            error, size = error[finite], size[finite]
        wrong += good.numel() - int(good.count_nonzero())
        if error.numel():
            worst = max(worst, float(error.max()))
            relative = max(relative, float((error / size.clamp_min_(max(allowed.atol, 1e-300))).max()))
    return wrong, worst, relative


def _exact(workload_id: str, out: torch.Tensor, want: torch.Tensor) -> Check:
    """Integers and booleans must agree exactly."""
    wrong = int((out != want).sum())
    if not wrong:
        return Check(workload_id, Status.PASSED, 0.0, 0.0, 0.0, 0.0, 0.0)
    detail = f"{wrong} of {want.numel()} elements are wrong"
    return Check(
        workload_id, Status.WRONG_VALUE, detail=detail, mismatch=analyse(out, want, atol=0.0, rtol=0.0)
    )
