"""Outputs against the reference in fp64, on inputs that the kernel has not seen."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from kernelopt.suites._load import make_inputs
from kernelopt.suites._trivial import floor

CLOSE = 2.0
"""How many times PyTorch's own error an answer may have where that is more than the dtype's floor."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Over all seeds."""

    ok: bool
    reason: str = ""
    worst: float = 0.0
    """Largest error, as a part of what is allowed."""


def check(
    module: ModuleType,
    model: torch.nn.Module,
    answer: Callable[..., Any],
    seeds: Sequence[int],
    device: str,
) -> Verdict:
    """Compare shapes, dtypes and values on fresh inputs for each seed; see that inputs stay as they are."""
    wide = copy.deepcopy(model).double()
    worst = 0.0
    for seed in seeds:
        inputs = make_inputs(module, seed=seed, device=device)
        with torch.no_grad():
            plain = model(*inputs)
            marks = [_mark(value) for value in inputs]
            _poison(plain)
            given = answer(*inputs)
            want = wide(*[_widened(value) for value in inputs])
        if reason := _differs(given, plain):
            return Verdict(False, f"seed {seed}: {reason}", worst)
        if [_mark(value) for value in inputs] != marks:
            return Verdict(False, f"seed {seed}: the inputs were changed", worst)
        error = _error(given, plain, want)
        if not error <= 1.0:  # also where it is NaN
            return Verdict(False, f"seed {seed}: the error is {error:.3g} times what is allowed", error)
        worst = max(worst, error)
    return Verdict(True, worst=round(worst, 4))


def _differs(given: Any, plain: torch.Tensor) -> str:
    if not isinstance(given, torch.Tensor):
        return f"the output is a {type(given).__name__}"
    if given.shape != plain.shape or given.dtype != plain.dtype or given.device != plain.device:
        wanted = (plain.dtype, tuple(plain.shape), plain.device)
        return f"the output is {given.dtype} {tuple(given.shape)} on {given.device}, wanted {wanted}"
    return ""


def _error(given: torch.Tensor, plain: torch.Tensor, want: torch.Tensor) -> float:
    """Largest error over what is allowed, NaN where a number is missing; piece by piece, to save memory."""
    least = floor(plain)
    worst, own = [], []
    pieces = [tensor.reshape(-1).split(1 << 25) for tensor in (given, plain, want)]
    for one, other, exact in zip(*pieces, strict=True):
        allowed = least.atol + least.rtol * exact.abs()
        worst.append(((one.double() - exact).abs() / allowed).max())
        own.append(((other.double() - exact).abs() / allowed).max())
    return float(torch.stack(worst).max()) / max(1.0, CLOSE * float(torch.stack(own).max()))


def _widened(value: Any) -> Any:
    return value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def _mark(value: Any) -> Any:
    """A number that changes when the tensor does."""
    if not isinstance(value, torch.Tensor):
        return value
    flat = value.reshape(-1)
    bits = {2: torch.int16, 4: torch.int32, 8: torch.int64}[value.element_size()]
    return int(flat.view(bits).sum(dtype=torch.int64))


def _poison(like: torch.Tensor) -> None:
    """Leave NaN in the memory that the allocator is about to hand out, so that unwritten outputs show."""
    held = [torch.full_like(like, float("nan")) for _ in range(3)] if like.is_floating_point() else []
    del held
