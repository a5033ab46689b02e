"""The trusted side of a task: the reference module, its inputs, and what is expected of a kernel."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kernelopt.evaluator.arena import leaves, tensor_bytes
from kernelopt.evaluator.inputs import dense, double, transform
from kernelopt.evaluator.settings import Settings
from kernelopt.suites._load import load, make_inputs, make_model, run_model
from kernelopt.task import Task, Workload

SEED = 42
"""Weights are made under this seed on both sides, as KernelBench does. Inputs use secret seeds."""
POOL = 4
"""Base input sets that timed inputs are spliced from."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One input set and everything a comparison needs."""

    workload: Workload
    args: list[Any]
    expected: list[torch.Tensor]
    """fp64 (floating-point outputs) or exact (integers)."""
    dtypes: list[torch.dtype]
    eager_errors: list[float]
    """Largest |eager - fp64| per output, in units of the output."""
    rms: list[float]
    """Root mean square of each fp64 output over its finite elements."""


class Reference:
    """One task, loaded. Lives in the judge; candidate code never comes near it."""

    def __init__(self, task: Task, settings: Settings, secret: random.Random):
        self.task, self._settings, self._secret = task, settings, secret
        torch.set_num_threads(settings.threads)
        self._module = load(task)
        self._model = make_model(self._module, SEED)
        self.init: list[Any] = list(self._module.get_init_inputs())
        self._wide = copy.deepcopy(self._model).double()
        self.samples = self._samples()
        self.pool = [self._inputs() for _ in range(POOL)]

    @property
    def state(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers of the reference as constructed."""
        return {name: value.detach().clone() for name, value in self._model.state_dict().items()}

    def expect(self, args: Sequence[Any]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Outputs of the reference on `args`: (fp64, eager as the task states it)."""
        eager = leaves(run_model(self._module, self._model, copy.deepcopy(list(args))))
        with torch.no_grad():
            return self._run_wide(args, eager), eager

    def sample(self, workload: Workload, args: list[Any]) -> Sample:
        """`args` with all that a comparison needs."""
        wide, eager = self.expect(args)
        errors = [_error(e, w) for e, w in zip(eager, wide, strict=True)]
        return Sample(workload, args, wide, [e.dtype for e in eager], errors, [_rms(w) for w in wide])

    def memory(self) -> int:
        """Bytes that this object keeps alive, roughly."""
        kept = [t for s in self.samples for t in (*leaves(s.args), *s.expected)]
        return sum(tensor_bytes(t) for t in [*kept, *leaves(self.pool)])

    def _inputs(self, name: str = "given", seed: int | None = None) -> list[Any]:
        chosen = self._secret.getrandbits(62) if seed is None else seed
        return dense(transform(make_inputs(self._module, chosen), name))

    def _samples(self) -> list[Sample]:
        found = []
        for name in self._settings.distributions:
            for number in range(1, self._settings.seeds + 1):
                seed = self._secret.getrandbits(62)
                workload = Workload(id=f"{name}/{number}", seed=seed, distribution=name)
                sample = self.sample(workload, self._inputs(name, seed))
                if name == "given" or _sound(sample):
                    found.append(sample)
        return found

    def _run_wide(self, args: Sequence[Any], eager: list[torch.Tensor]) -> list[torch.Tensor]:
        """The reference in fp64; where it insists on fp32, its own fp32 result, widened."""
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            wide = leaves(self._wide(*double(copy.deepcopy(list(args)))))
        except RuntimeError:
            wide = eager
        finally:
            torch.set_default_dtype(before)
        return [w.double() if e.is_floating_point() else e for w, e in zip(wide, eager, strict=True)]


def _error(eager: torch.Tensor, wide: torch.Tensor) -> float:
    if not wide.is_floating_point() or not wide.numel():
        return 0.0
    difference = (eager.double() - wide).abs_()
    worst = float(difference.max())
    if math.isfinite(worst):
        return worst
    finite = difference[difference.isfinite()]
    return float(finite.max()) if finite.numel() else 0.0


def _rms(wide: torch.Tensor) -> float:
    if not wide.is_floating_point() or not wide.numel():
        return 0.0
    value = float(torch.linalg.vector_norm(wide)) / math.sqrt(wide.numel())
    return value if math.isfinite(value) else _rms(wide[wide.isfinite()])


def _sound(sample: Sample) -> bool:
    """Whether a transformed input still is one that the reference is meant for."""
    for wide, error in zip(sample.expected, sample.eager_errors, strict=True):
        if wide.is_floating_point():
            if not bool(wide.isfinite().all()):
                return False
            if error > 1e-3 * max(float(wide.abs().max()), 1e-30):
                return False
    return True
