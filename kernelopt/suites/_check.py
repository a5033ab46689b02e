"""Run a task's reference and say whether it can serve as one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

import torch

from kernelopt.errors import TaskError
from kernelopt.suites._facts import fits, leaves
from kernelopt.suites._hub import unavailable
from kernelopt.suites._load import load, make_inputs, make_model, run_model
from kernelopt.suites._trivial import accepted, floor, glance
from kernelopt.task import Task, Tolerance

KERNELBENCH = Tolerance(atol=1e-4, rtol=1e-4)
"""What KernelBench allows fp32 outputs; used only to warn of tasks that nearly anything passes."""

_SAID = {
    "zeros": "zeros would pass",
    "constant": "a constant would pass",
    "identity": "the input would pass",
    "previous": "the output for other inputs would pass",
}

EVEN = ", and at kernelopt's tolerance too"
"""Added to a warning where a tighter tolerance does not help, but other inputs may."""

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
    """What makes the task a weak test: trivial answers that its own inputs would let pass."""
    weak: tuple[str, ...] = ()
    """Those (`_trivial.KINDS`) that would pass at kernelopt's tolerance too, on these inputs alone."""
    uninformative: tuple[str, ...] = ()
    """Those that the judge's other inputs do not reject either: a verdict on the task says little."""
    seconds: float = 0.0
    """Time of loading, making inputs and one call together."""


def check_task(task: Task, available_bytes: int) -> Report:
    """Load the reference and call it on the CPU, on two inputs; a failure is data, not an exception."""
    reason = unavailable(task)
    if reason:
        return Report(task.id, Outcome.UNAVAILABLE, reason)
    reason = fits(task, available_bytes)
    if reason:
        return Report(task.id, Outcome.SKIPPED, reason)
    start = time.perf_counter()
    try:
        inputs, outputs = _call(task, seed=0)
    except TaskError as error:
        return Report(task.id, Outcome.FAILED, str(error))
    seconds = time.perf_counter() - start
    reason = _unusable(outputs)
    if reason:
        return Report(task.id, Outcome.FAILED, reason, seconds=seconds)
    loose, tight = _weaknesses(task, inputs, outputs)
    return Report(task.id, Outcome.OK, warnings=_said(loose, tight), weak=_strongest(tight), seconds=seconds)


def _call(task: Task, seed: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Tensors that went in and came out."""
    module = load(task)
    model = make_model(module, seed=0)
    inputs = make_inputs(module, seed=seed)
    return list(leaves(inputs)), list(leaves(run_model(module, model, inputs)))


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


def _weaknesses(
    task: Task, inputs: list[torch.Tensor], outputs: list[torch.Tensor]
) -> tuple[frozenset[str], frozenset[str]]:
    """Trivial answers that pass at KernelBench's tolerance (or the task's own), and at kernelopt's."""
    loose = [task.tolerance or KERNELBENCH for _ in outputs]
    tight = [task.tolerance or floor(out) for out in outputs]
    views = [glance(out) for out in outputs]
    found = [accepted(outputs, allowed, inputs) for allowed in (loose, tight)]
    inputs.clear()
    outputs.clear()  # makes room for the second call
    again = [glance(out) for out in _call(task, seed=1)[1]]
    stale = [accepted(views, allowed, previous=again) & {"previous"} for allowed in (loose, tight)]
    return found[0] | stale[0], found[1] | stale[1]


def _strongest(kinds: frozenset[str]) -> tuple[str, ...]:
    """Without what follows from another: where zeros pass, so do the constant zero and older zeros."""
    chain = next((kind for kind in ("zeros", "constant", "previous") if kind in kinds), None)
    return tuple(kind for kind in (chain, "identity") if kind in kinds)


def _said(loose: frozenset[str], tight: frozenset[str]) -> tuple[str, ...]:
    """One warning for each, and whether the tolerance is to blame."""
    kinds = dict.fromkeys((*_strongest(loose), *_strongest(tight)))
    return tuple(_SAID[kind] + (EVEN if kind in tight else "") for kind in kinds)
