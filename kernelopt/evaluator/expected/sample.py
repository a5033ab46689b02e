"""One input set with all that is expected of it, and the figures that a tolerance is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from kernelopt.evaluator.compare.scan import Halves
from kernelopt.evaluator.data.arena import aligned, leaves, tensor_bytes
from kernelopt.evaluator.data.spread import pieces, spread
from kernelopt.evaluator.expected.bulk import Bulk
from kernelopt.suites._trivial import glance
from kernelopt.task import Workload

EAGER_LIMIT, SHAKEN_LIMIT = 1e-4, 1e-3
"""A changed input is left out where PyTorch's own float32 error, or the effect of rounding, exceeds this
part of the largest output: what cannot be computed well cannot be judged well."""
HALF_LIMIT = 0.05
"""Both for half types, whose rounding is coarser."""
FLIPPED = 16
"""So many times as many integers as rounding changes may be others, as other outputs may be off by so many
times what rounding moves them: arithmetic in another order is off by some ulps."""
FLIPPED_LIMIT = 0.05
"""The part of all integers that these may be; a changed input is left out where they are more."""
DEGENERATE_LIMIT = 1e-5
"""Where variances vanish, rounding is amplified beyond all bounds unless the means are exact; so an input
is left out where rounding may move the output by more than this and does move PyTorch's own."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One output (or gradient, or input that the reference writes to), as it should be."""

    held: torch.Tensor | Halves
    """fp64 (floating-point outputs; complex ones with a last axis of two) or exact (integers)."""
    dtype: torch.dtype
    """Of the output itself."""
    eager_error: float = 0.0
    """Largest |eager - fp64|, in units of the output."""
    excess: float = 0.0
    """The same beyond what is spared of each number (see `figures`): what a tolerance is made of."""
    rms: float = 0.0
    """Root mean square of the finite elements of `value`."""
    sensitivity: float = 0.0
    """Largest error of the reference with every operator shaken by an ulp (see `sensitivity`); of
    integers how many change."""
    moved: float = 0.0
    """The same beyond what is spared of each number: what a tolerance is made of."""
    usual: float = 0.0
    """`rms` of the same output on the task's own inputs."""
    bulk: Bulk | None = None
    """Figures without its few huge numbers; None where it has none, or not on the task's own inputs."""
    holes: float = 0.0
    """Part of `value` that is not finite."""
    usual_holes: float = 0.0
    """The same on the task's own inputs: minus infinity behind a mask, say."""
    rounded: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """Name of a shorter type → what rounding inputs and weights to it adds, at a glance (see `precision`);
    only for one sample of a task."""
    overlaps: bool = False
    """The reference's own output has elements that share memory (an expanded view)."""
    aliases: bool = False
    """The reference's own output lies in the memory of an input."""
    home: int | None = None
    """The first of the reference's outputs that lies in the same memory as this one; None where unknown."""

    @property
    def value(self) -> torch.Tensor:
        """What is held, as a tensor: made at each call where it is held in halves."""
        return self.held.whole() if isinstance(self.held, Halves) else self.held

    @property
    def numbers(self) -> bool:
        """Whether it holds numbers that are rounded; others must agree exactly."""
        return self.dtype.is_floating_point or self.dtype.is_complex

    @property
    def shape(self) -> torch.Size:
        """Of the output itself."""
        return self.held.shape[:-1] if self.dtype.is_complex else self.held.shape

    @property
    def kind(self) -> torch.dtype:
        """The dtype of its real numbers."""
        return self.dtype.to_real()

    def glance(self) -> torch.Tensor:
        """A glance at its value (see `suites._trivial.glance`)."""
        return self.held.glance() if isinstance(self.held, Halves) else glance(self.held)

    def halved(self) -> Wanted:
        """In half the room, and faster to compare with, where nothing is lost by it."""
        whole = self.held
        return self if isinstance(whole, Halves) else replace(self, held=Halves.of(whole, self.kind) or whole)

    def memory(self) -> int:
        """Bytes of what is held."""
        return self.held.nbytes() if isinstance(self.held, Halves) else tensor_bytes(self.held)


@dataclass(frozen=True, slots=True)
class Sample:
    """One input set and everything a comparison needs."""

    workload: Workload
    args: list[Any]
    outputs: list[Wanted]
    after: dict[int, Wanted] = field(default_factory=dict)
    """Number of an input tensor that the reference writes to → what it holds after the call."""

    def outline(self) -> Sample:
        """The figures alone, without any tensor."""
        after = {index: _empty(wanted) for index, wanted in self.after.items()}
        return Sample(self.workload, [], [_empty(wanted) for wanted in self.outputs], after)

    def halved(self) -> Sample:
        """Made ready to be kept, and compared with many times."""
        return replace(self, outputs=[wanted.halved() for wanted in self.outputs])

    def memory(self) -> int:
        """Bytes of its tensors."""
        wanted = (*self.outputs, *self.after.values())
        return sum(map(tensor_bytes, leaves(self.args))) + sum(one.memory() for one in wanted)

    def room(self) -> int:
        """Bytes that the outputs of one call take in shared memory, with some to spare: as if in fp64."""
        return sum(aligned(math.prod(one.held.shape) * torch.float64.itemsize) for one in self.outputs)


def _empty(wanted: Wanted) -> Wanted:
    return replace(wanted, held=torch.empty(0))


def like_usual(sample: Sample, usual: Sequence[Wanted]) -> Sample:
    """Figures that were not measured, taken from the task's own inputs in proportion to the outputs.

    An error of a single number can be zero by luck, so the eager error too is at least in proportion.
    """
    outputs = []
    for wanted, known in zip(sample.outputs, usual, strict=True):
        part = wanted.rms / known.rms if known.rms else 0.0
        error = max(wanted.eager_error, known.eager_error * part)
        excess = max(wanted.excess, known.excess * part)
        figures = replace(wanted, eager_error=error, excess=excess, usual=known.rms, usual_holes=known.holes)
        bulk = wanted.bulk.filled(known.bulk) if wanted.bulk and known.bulk else None
        moved = known.moved * part
        outputs.append(replace(figures, sensitivity=known.sensitivity * part, moved=moved, bulk=bulk))
    return replace(sample, outputs=outputs)


def largest_errors(
    actual: torch.Tensor, wide: torch.Tensor, spared: Sequence[float], *, lost: float = 0.0
) -> list[float]:
    """Largest |actual - wide| over finite pairs; 0 for anything but floating point.

    Args:
        actual: a result of a lower precision.
        wide: the same in fp64.
        spared: for each figure, the part of each number that it may be off by before it counts.
        lost: what counts where `wide` is finite and `actual` is not.
    """
    if not wide.is_floating_point() or not wide.numel():
        return [0.0] * len(spared)
    flat, exact = actual.reshape(-1), wide.reshape(-1)
    parts = [partial(_largest_errors, flat[here], exact[here], spared, lost) for here in pieces(len(exact))]
    return [max(found) for found in zip(*spread(parts), strict=True)]


def _largest_errors(
    actual: torch.Tensor, want: torch.Tensor, spared: Sequence[float], lost: float
) -> list[float]:
    error = (actual.double() - want).abs_()
    worst = float(error.max())
    if not any(spared) or not worst:
        return [_finite(error, worst, want, lost)] * len(spared)
    size, found = want.abs(), []
    for part in spared:
        beyond = torch.sub(error, size, alpha=part).clamp_(min=0) if part else error
        found.append(_finite(beyond, float(beyond.max()) if part else worst, want, lost))
    return found


def _finite(error: torch.Tensor, worst: float, want: torch.Tensor, lost: float) -> float:
    """The `worst` error; where that is none, the largest finite one, or `lost`."""
    if math.isfinite(worst):
        return worst
    bad = want.isfinite() & ~error.isfinite()
    finite = error[error.isfinite()]
    return max(lost * bool(bad.any()), float(finite.max()) if len(finite) else 0.0)


def root_mean_square(wide: torch.Tensor) -> float:
    """Of the finite elements; 0 for anything but floating point."""
    if not wide.is_floating_point() or not wide.numel():
        return 0.0
    value = float(torch.linalg.vector_norm(wide)) / math.sqrt(wide.numel())
    if math.isfinite(value):
        return value
    finite = wide[wide.isfinite()]
    largest = float(finite.abs().max()) if len(finite) else 0.0  # its square may be beyond fp64
    return largest * root_mean_square(finite / largest) if largest else 0.0


def real(tensor: torch.Tensor) -> torch.Tensor:
    """A complex tensor as real numbers, with a last axis of two; any other as it is."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors of one shape and dtype are the same, bit for bit: NaN equals itself."""
    a, b = one.contiguous().reshape(-1), other.contiguous().reshape(-1)
    # Integers of eight bytes compare five times as fast as single bytes.
    size = a.element_size()
    eights = not any(n * size % 8 for n in (a.numel(), a.storage_offset(), b.storage_offset()))
    kind = torch.int64 if eights else torch.uint8
    a, b = a.view(kind), b.view(kind)
    return all(spread([partial(torch.equal, a[here], b[here]) for here in pieces(len(a))]))


def overlaps(shape: Sequence[int], stride: Sequence[int]) -> bool:
    """Whether two elements share memory, as in an expanded tensor.

    Exact for what views of a tensor can be; some layouts that only `as_strided` makes count too.
    """
    reach = 0
    for step, size in sorted((abs(s), n) for s, n in zip(stride, shape, strict=True) if n > 1):
        if step <= reach:
            return True
        reach += step * (size - 1)
    return False


def sound(sample: Sample, *, degenerate: bool) -> bool:
    """Whether a changed input still is one that the reference is meant for, and computes well."""
    return all(_is_sound(wanted, degenerate) for wanted in sample.outputs)


def _is_sound(wanted: Wanted, degenerate: bool) -> bool:
    if not wanted.value.is_floating_point():
        return FLIPPED * wanted.sensitivity <= FLIPPED_LIMIT * wanted.value.numel()
    if not wanted.value.numel():
        return math.isfinite(wanted.sensitivity)
    if wanted.holes > 1.25 * wanted.usual_holes:
        return False
    scale = max(largest(wanted.value), wanted.usual)
    coarse = wanted.kind in (torch.float16, torch.bfloat16)
    if wanted.eager_error > (HALF_LIMIT if coarse else EAGER_LIMIT) * scale:
        return False
    if wanted.sensitivity > (HALF_LIMIT if coarse else SHAKEN_LIMIT) * scale:
        return False
    amplified = wanted.sensitivity > DEGENERATE_LIMIT * scale
    return not (degenerate and amplified and wanted.eager_error > wanted.sensitivity / 64)


def holes(value: torch.Tensor) -> float:
    """The part of the elements that is not finite."""
    if not value.is_floating_point() or not value.numel() or math.isfinite(float(value.sum())):
        return 0.0
    return float((~value.isfinite()).double().mean())


def largest(value: torch.Tensor) -> float:
    """Largest finite magnitude."""
    low, high = (float(end) for end in torch.aminmax(value))
    if math.isfinite(high - low):
        return max(-low, high)
    finite = value[value.isfinite()]
    return float(finite.abs().max()) if len(finite) else 0.0
