"""Gradients of a kernel against those of the reference in fp64, by the same rule as outputs.

The gradient is that of ``sum(output * weight)`` with random weights that only the judge has made up, by
every floating-point input and every parameter of the reference. A kernel has to be differentiable for it,
with a `torch.autograd.Function` of its own around native code.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.compare.check import compare
from kernelopt.evaluator.data.arena import leaves
from kernelopt.evaluator.data.inputs import double
from kernelopt.evaluator.expected.figures import as_given, displacement, shifted, wanted
from kernelopt.evaluator.expected.modes import default_dtype
from kernelopt.evaluator.expected.runner import Runner
from kernelopt.evaluator.expected.sample import Sample
from kernelopt.evaluator.expected.sensitivity import Shaken
from kernelopt.task import Workload

Gradients = list[torch.Tensor | None]


@dataclass(frozen=True, slots=True)
class Expected:
    """One input set with the gradients that are expected of it."""

    sample: Sample
    """`args` are the call's arguments and the weights of the outputs; `outputs` the gradients."""
    labels: list[str]
    """What each gradient is by: ``input 0``, ``parameter conv.weight``."""
    places: list[int]
    """Where each stands among all that a worker answers."""
    parameters: list[str]
    """Names of the parameters that a worker is asked for."""


def expected(runner: Runner, secret: random.Random) -> Expected | None:
    """What is expected; None where the reference has nothing to differentiate by, or cannot be."""
    workload = Workload("backward/1", secret.getrandbits(62))
    args = runner.inputs("given", workload.seed)
    parameters = [name for name, p in runner.model.named_parameters() if p.requires_grad]
    weights = _weights(runner.measured(workload, args), secret.getrandbits(62))
    try:
        eager = _gradients(runner.model, args, weights, parameters)
        with default_dtype(torch.float64):
            exact = _gradients(runner.wide, double(args), double(weights), parameters)
        with Shaken(secret.getrandbits(62)):
            shaken = _gradients(runner.model, args, weights, parameters)
    except RuntimeError:
        return None
    names = [f"input {n}" for n, x in enumerate(leaves(args)) if x.is_floating_point()]
    names += [f"parameter {name}" for name in parameters]
    outputs, places = [], []
    for place, (own, wide, moved) in enumerate(zip(eager, exact, shaken, strict=True)):
        if own is not None and wide is not None and moved is not None:
            one = wanted(own, wide.double())
            outputs.append(as_given(shifted(one, displacement(moved, one.value))))
            places.append(place)
    if not outputs:
        return None
    sample = Sample(workload, [args, weights], outputs)
    return Expected(sample, [names[place] for place in places], places, parameters)


def judge(
    wanted: Expected,
    claims: Sequence[Mapping[str, Any]],
    actual: Sequence[torch.Tensor | None],
    *,
    factor: float,
) -> Check:
    """Compare every gradient; the first that fails decides."""
    sample, worst = wanted.sample, None
    for place, label, output in zip(wanted.places, wanted.labels, sample.outputs, strict=True):
        claim = dict(claims[place]) if place < len(claims) else {"type": "builtins.NoneType"}
        if claim.get("type") == "builtins.NoneType":
            detail = f"there is no gradient by {label}"
            return Check(sample.workload.id, Status.WRONG_VALUE, detail=detail)
        one = Sample(sample.workload, [], [output])
        check = compare(one, [claim], [actual[place]], factor=factor)
        if check.status is not Status.PASSED:
            return replace(check, detail=f"gradient by {label}: {check.detail}")
        worst = max(worst, check, key=lambda c: c.max_abs_error or 0.0) if worst else check
    return worst or Check(sample.workload.id, Status.PASSED)


def _weights(sample: Sample, seed: int) -> list[torch.Tensor]:
    """One random number for each element of each floating-point output."""
    chance = torch.Generator().manual_seed(seed)
    floating = [w for w in sample.outputs if w.value.is_floating_point()]
    return [torch.randn(w.value.shape, generator=chance).to(w.dtype) for w in floating]


def _gradients(
    model: torch.nn.Module, args: list[Any], weights: list[torch.Tensor], parameters: Sequence[str]
) -> Gradients:
    by: list[torch.Tensor] = []
    known = dict(model.named_parameters())
    with torch.enable_grad():
        outputs = [out for out in leaves(model(*_leaf(args, by))) if out.is_floating_point()]
        pairs = [(out, weight) for out, weight in zip(outputs, weights, strict=True) if out.requires_grad]
        by += [known[name] for name in parameters]
        if not pairs or not by:
            return [None] * len(by)
        found = torch.autograd.grad([o for o, _ in pairs], by, [w for _, w in pairs], allow_unused=True)
    return list(found)


def _leaf(args: Any, by: list[torch.Tensor]) -> Any:
    """Copies of nested arguments that gradients are taken by; adds them to `by`."""
    if isinstance(args, list | tuple):
        return type(args)([_leaf(part, by) for part in args])
    if not isinstance(args, torch.Tensor):
        return args
    made = args.detach().clone()
    if made.is_floating_point():
        by.append(made.requires_grad_())
    return made
