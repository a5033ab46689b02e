"""How far a reference's parameters may move: its outputs must stay as good as they were.

An exponent must be whole, a variance positive, a recurrence stable: nobody says so. So the boldest change
is tried first, and milder ones where the reference does not bear it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from kernelopt.errors import TaskError
from kernelopt.evaluator.data.arena import leaves
from kernelopt.evaluator.data.inputs import double
from kernelopt.evaluator.expected.distributions import transform
from kernelopt.evaluator.expected.modes import default_dtype, using
from kernelopt.evaluator.expected.sample import holes
from kernelopt.evaluator.expected.trained import LADDER, Moved, train
from kernelopt.suites._load import make_inputs, make_model, run_model

TRIED = ("given", "given", "mixed", "steep")
"""What each change is tried on: parameters that only the task's own inputs bear would cost the others."""
SEED = 42
MANY = 1 << 16
"""Elements of an output that are looked at."""
PRECISE = 1e-5
"""An error of PyTorch's own that is no reason to keep parameters as they are."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one output for one of the inputs, in parts of its root mean square."""

    holes: float
    """The part that is not finite."""
    zeros: float
    peak: float
    """The largest number."""
    typical: float
    """The median of those that are not zero: small ones are hardly compared beside huge ones."""
    error: float
    """The root mean square of PyTorch's own error."""
    change: float
    """How far it is from what came out before, for other inputs."""


def boldest(module: ModuleType, seed: int, chosen: int, threads: int) -> tuple[torch.nn.Module, Moved]:
    """The model with weights as if trained, and what was moved: as far as it bears.

    Args:
        module: the task's, which makes inputs and the model.
        seed: of the weights as constructed.
        chosen: the seed of what they become.
        threads: for the reference.
    """
    twin, usual = make_model(module, seed ^ 1), None
    for step in LADDER:
        model = make_model(module, seed)
        moved = train(model, chosen, twin, step)
        if not moved or step is LADDER[-1]:
            break
        with using(threads):
            usual = usual or _figures(module, make_model(module, seed))
            if _bears(usual, _figures(module, model)):
                break
    return model, moved


def _bears(usual: Sequence[Figures], found: Sequence[Figures]) -> bool:
    """Whether outputs are as finite, exact and telling as those of the model as constructed."""
    return len(usual) <= len(found) and all(
        now.holes <= was.holes
        and now.zeros <= (1 + was.zeros) / 2
        and now.peak <= 4 * was.peak
        and now.typical >= was.typical / 8
        and now.error <= max(8 * was.error, PRECISE)
        and now.change >= was.change / 4
        for was, now in zip(usual, found, strict=False)
    )


def _figures(module: ModuleType, model: torch.nn.Module) -> list[Figures]:
    """Of each output for each input, as far as the reference takes them."""
    found: list[Figures] = []
    before: list[torch.Tensor] = []
    for number, name in enumerate(TRIED):
        args = transform(make_inputs(module, SEED + number), name, SEED)
        try:
            outputs = _floats(run_model(module, copy.deepcopy(model), copy.deepcopy(args)))
        except TaskError:
            return found
        pairs = zip(outputs, _exact(module, model, args) or outputs, before or outputs, strict=True)
        found += [_figured(*each) for each in pairs]
        before = outputs
    return found


def _exact(module: ModuleType, model: torch.nn.Module, args: list[Any]) -> list[torch.Tensor] | None:
    """Outputs in fp64; None where the reference insists on its dtypes."""
    try:
        with default_dtype(torch.float64):
            return _floats(run_model(module, copy.deepcopy(model).double(), double(args)))
    except TaskError:
        return None


def _floats(outputs: Any) -> list[torch.Tensor]:
    """Outputs as real numbers; of large ones a part, evenly spread, and the first that is not finite."""
    made = [torch.view_as_real(one.resolve_conj()) if one.is_complex() else one for one in leaves(outputs)]
    return [_part(one.detach().flatten()).double() for one in made]


def _part(flat: torch.Tensor) -> torch.Tensor:
    part = flat[:: flat.numel() // MANY | 1] if flat.numel() > MANY else flat
    return torch.cat([part, flat[~flat.isfinite()][:1]]) if holes(flat) and not holes(part) else part


def _figured(value: torch.Tensor, exact: torch.Tensor, before: torch.Tensor) -> Figures:
    finite = value[value.isfinite()]
    size = max(_size(finite), 1e-300)
    zeros = 1 - int(finite.count_nonzero()) / max(1, len(finite))
    sizes = finite[finite != 0].abs() / size if finite.any() else finite.new_zeros(1)
    peak, typical = float(sizes.max()), float(sizes.median())
    other = before if before.shape == value.shape else value
    error, change = _apart(exact, value) / size, _apart(other, value) / size
    return Figures(holes(value), zeros, peak, typical, error, change)


def _apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Root mean square of the difference, where it is finite."""
    return _size((one - other).nan_to_num(0.0, 0.0, 0.0)) if one.shape == other.shape else 0.0


def _size(value: torch.Tensor) -> float:
    return float(value.square().mean().sqrt()) if value.numel() else 0.0
