"""Run a task's reference once and say whether it can serve as one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

import torch

from kernelopt.errors import TaskError
from kernelopt.suites._facts import fits, leaves
from kernelopt.suites._hub import unavailable
from kernelopt.suites._load import load, make_inputs, make_model, run_model
from kernelopt.task import Task, Tolerance

KERNELBENCH = Tolerance(atol=1e-4, rtol=1e-4)
"""What KernelBench allows fp32 outputs; used only to warn of tasks that nearly anything passes."""

_PIECE = 1 << 24


class Outcome(StrEnum):
    """How a reference did."""

    OK = "OK"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    """Its tensors do not fit into memory."""
    UNAVAILABLE = "UNAVAILABLE"
    """It needs a package or a model that is not on this machine."""


@dataclass(frozen=True, slots=True)
class Report:
    """One reference, run once."""

    task_id: str
    outcome: Outcome
    reason: str = ""
    """Why it is not OK."""
    warnings: tuple[str, ...] = ()
    """What makes the task a weak test: ``zeros would pass``, ``a constant would pass``."""
    seconds: float = 0.0
    """Time of loading, making inputs and one call together."""


def check_task(task: Task, available_bytes: int) -> Report:
    """Load the reference and call it once on the CPU; a failure is data, not an exception."""
    reason = unavailable(task)
    if reason:
        return Report(task.id, Outcome.UNAVAILABLE, reason)
    reason = fits(task, available_bytes)
    if reason:
        return Report(task.id, Outcome.SKIPPED, reason)
    start = time.perf_counter()
    try:
        outputs = _outputs(task)
    except TaskError as error:
        return Report(task.id, Outcome.FAILED, str(error))
    seconds = time.perf_counter() - start
    reason = _unusable(outputs)
    if reason:
        return Report(task.id, Outcome.FAILED, reason, seconds=seconds)
    return Report(task.id, Outcome.OK, warnings=_weaknesses(outputs, task.tolerance), seconds=seconds)


def _outputs(task: Task) -> list[torch.Tensor]:
    module = load(task)
    model = make_model(module, seed=0)
    return list(leaves(run_model(module, model, make_inputs(module, seed=0))))


def _unusable(outputs: list[torch.Tensor]) -> str:
    if not any(out.numel() for out in outputs):
        return "forward() returned no tensor with elements"
    for index, out in enumerate(outputs):
        wrong = _not_finite(out)
        if wrong:
            return f"output {index} is not finite: {wrong} of {out.numel()} elements are NaN or infinite"
    return ""


def _not_finite(out: torch.Tensor) -> int:
    """How many elements are NaN or infinite; in pieces, because `isfinite` makes copies."""
    flat = out.reshape(-1)
    starts = range(0, flat.numel(), _PIECE)
    return sum(int((~torch.isfinite(flat[start : start + _PIECE])).sum()) for start in starts)


def _weaknesses(outputs: list[torch.Tensor], tolerance: Tolerance | None) -> tuple[str, ...]:
    """What trivial answers every output would accept, at the task's tolerance or KernelBench's."""
    allowed = tolerance or KERNELBENCH
    plain = [out for out in outputs if out.numel() and not out.is_complex()]
    if not plain:
        return ()
    found = []
    if all(_accepts_zeros(out, allowed) for out in plain):
        found.append("zeros would pass")
    elif all(_accepts_constant(out, allowed) for out in plain):
        found.append("a constant would pass")
    return tuple(found)


def _accepts_zeros(out: torch.Tensor, allowed: Tolerance) -> bool:
    low, high = _range(out)
    largest = max(abs(low), abs(high))
    return largest <= allowed.atol + allowed.rtol * largest


def _accepts_constant(out: torch.Tensor, allowed: Tolerance) -> bool:
    """Whether the middle of the range lies within tolerance of every element.

    A single number says nothing: it is constant by nature.
    """
    low, high = _range(out)
    smallest = min(abs(low), abs(high)) if low * high > 0 else 0.0
    return out.numel() > 1 and (high - low) / 2 <= allowed.atol + allowed.rtol * smallest


def _range(out: torch.Tensor) -> tuple[float, float]:
    low, high = torch.aminmax(out.float() if out.dtype == torch.bool else out)
    return float(low), float(high)
