"""Answers that need no kernel: how little a task asks for when one of them would pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from kernelopt.task import Tolerance

FLOOR = {torch.float64: 1e-9, torch.float32: 2e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}
"""Least relative tolerance per dtype: 2e-5 leaves an fp32 kernel about 170 units in the last place
(a different summation order, a polynomial `exp`), but no fp16 or tf32 arithmetic, which errs by 5e-4.
For the half types it is two units in the last place."""

KINDS = ("zeros", "constant", "identity", "previous")
"""All zeros; one number everywhere; an input given back; what another input gave."""

_PIECE = 1 << 24
_GLANCE = 1 << 16


def floor(out: torch.Tensor) -> Tolerance:
    """The least tolerance that kernelopt allows for an output; the judge's grows with PyTorch's error."""
    relative = FLOOR.get(out.dtype, 0.0)
    norm = float(torch.linalg.vector_norm(out, dtype=torch.float64)) if relative else 0.0
    return Tolerance(atol=relative * norm / math.sqrt(max(out.numel(), 1)), rtol=relative)


def glance(tensor: torch.Tensor) -> torch.Tensor:
    """At most 65,536 elements, flat and spread evenly: enough to prove that an answer does not pass."""
    step = max(1, tensor.numel() // _GLANCE) | 1  # odd, so that it does not walk down one column
    return tensor.detach().reshape(-1)[::step].clone()


def accepted(
    outputs: Sequence[torch.Tensor],
    allowed: Sequence[Tolerance],
    inputs: Sequence[torch.Tensor] = (),
    previous: Sequence[torch.Tensor] | None = None,
) -> frozenset[str]:
    """Which of `KINDS` every output accepts.

    Args:
        outputs: what is expected.
        allowed: the tolerance of each output.
        inputs: the tensors that went in, for ``identity``.
        previous: the outputs for other inputs, for ``previous``.
    """
    pairs = [(o, a) for o, a in zip(outputs, allowed, strict=True) if o.numel() and not o.is_complex()]
    if not pairs:
        return frozenset()
    found = set()
    if all(_accepts_zeros(out, tolerance) for out, tolerance in pairs):
        found.add("zeros")
    if all(_accepts_constant(out, tolerance) for out, tolerance in pairs):
        found.add("constant")
    if all(any(agree(x, out, tolerance) for x in inputs) for out, tolerance in pairs):
        found.add("identity")
    if previous is not None and all(map(agree, previous, outputs, allowed)):
        found.add("previous")
    return frozenset(found)


def agree(answer: torch.Tensor, out: torch.Tensor, allowed: Tolerance) -> bool:
    """Whether `answer` would pass for `out`."""
    if answer.shape != out.shape or answer.is_complex() or out.is_complex():
        return False
    pieces = zip(_pieces(answer), _pieces(out), strict=True)
    return all(bool(((a - o).abs_() <= o.abs() * allowed.rtol + allowed.atol).all()) for a, o in pieces)


def _pieces(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """In fp64, a part at a time, because comparisons make copies."""
    flat = tensor.reshape(-1)
    return (flat[start : start + _PIECE].double() for start in range(0, len(flat), _PIECE))


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
