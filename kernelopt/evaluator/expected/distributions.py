"""What a kernel is tried on beside the task's own inputs: changes of them that bite.

The table is here, and which tensors a change applies to; `changes` makes them. What honest kernels may rely
on stays: dtype, shape, strides, elements that are exactly zero (masks, triangles), infinities, tensors of
few distinct values (flags, targets of ±1), symmetric matrices and sorted vectors. Integers stay within the
values seen, since they may index something. A change that the reference cannot take is left out for that
task (see `samples`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kernelopt.evaluator.data.arena import leaves
from kernelopt.evaluator.data.structure import is_hermitian, is_one_hot, is_ordered, is_special, is_symmetric
from kernelopt.evaluator.expected import changes
from kernelopt.evaluator.expected.fixed import VARIATIONS

Change = Callable[[torch.Tensor, torch.Generator], torch.Tensor]

_INDICES = (torch.int64, torch.int32)
_ZEROS = 256
"""Zeros are structure (a mask, a triangle) from one element in so many; `torch.rand` makes one by chance."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One way of changing an input."""

    change: Change
    """What happens to a floating-point tensor (float32 or wider; half types are cast)."""
    moves: bool = False
    """True where the change depends on an element's place, which spoils symmetry and order."""
    index: Change | None = None
    """What happens to an integer tensor."""
    mask: Change | None = None
    """What happens to a tensor of booleans."""
    degenerate: bool = False
    """True where variances vanish, perhaps behind a bias: it tells a missing epsilon, not the last digits."""
    guarded: bool = False
    """True where inputs are not finite: only for references whose outputs are finite floats all the same."""


TRANSFORMS: dict[str, Distribution] = {
    "given": Distribution(changes.given),
    "mixed": Distribution(changes.mixed),
    "outlier": Distribution(changes.outlier, moves=True, mask=changes.flipped),
    "patchy": Distribution(changes.patchy, moves=True),
    "steep": Distribution(changes.steep, index=changes.end_indices),
    "constant": Distribution(changes.constant, moves=True, index=changes.one_index, degenerate=True),
    "small": Distribution(changes.small, moves=True, degenerate=True),
    "zeros": Distribution(changes.zeros, degenerate=True),
    "large": Distribution(changes.large),
    "sparse": Distribution(changes.sparse, moves=True),
    "tiny": Distribution(changes.tiny),
    "uneven": Distribution(changes.uneven, moves=True),
    "nonfinite": Distribution(changes.not_finite, moves=True, guarded=True),
    # Made by `fixed.vary`, which compares the inputs of two seeds.
    **{name: Distribution(changes.given) for name in VARIATIONS},
}
"""Name → how an input is changed. The docstring of each change says what it finds."""


def transform(args: Sequence[Any], name: str, seed: int = 0) -> list[Any]:
    """Apply one of `TRANSFORMS` to every tensor of `args`, nested ones included."""
    if name == "given" or name in VARIATIONS:
        return list(args)
    chance = torch.Generator().manual_seed(seed)
    return [_changed(arg, TRANSFORMS[name], chance) for arg in args]


def varies_indices(args: Sequence[Any], name: str) -> bool:
    """Whether the transform changes integers among `args`."""
    return TRANSFORMS[name].index is not None and any(
        x.dtype in _INDICES and x.numel() > 1 and not is_ordered(x) for x in leaves(list(args))
    )


def _changed(arg: Any, how: Distribution, chance: torch.Generator) -> Any:
    if isinstance(arg, list | tuple):
        return type(arg)(_changed(part, how, chance) for part in arg)
    if not isinstance(arg, torch.Tensor) or arg.dim() == 0 or arg.numel() < 2 or arg.layout != torch.strided:
        return arg
    if arg.is_floating_point() or arg.is_complex():
        return _numbers(arg, how, chance)
    if arg.dtype in _INDICES and how.index and not is_ordered(arg):
        return _like(how.index(arg, chance), arg)
    if arg.dtype == torch.bool and how.mask and not is_one_hot(arg):
        return _like(how.mask(arg, chance), arg)
    return arg


def _numbers(x: torch.Tensor, how: Distribution, chance: torch.Generator) -> torch.Tensor:
    """The change, of both parts where numbers are complex; what has a structure is left as it is."""
    if not x.is_complex():
        return x if is_special(x, how.moves) else _floats(x, how.change, chance)
    parts = torch.view_as_real(x.resolve_conj())
    if is_special(parts, moves=False) or is_hermitian(x) or (how.moves and is_symmetric(x)):
        return x
    return _like(torch.view_as_complex(_floats(parts, how.change, chance)), x)


def _floats(x: torch.Tensor, change: Change, chance: torch.Generator) -> torch.Tensor:
    """The change; where zeros or infinities are part of the structure, they stay."""
    zeros = x.numel() - int(x.count_nonzero())
    if zeros * _ZEROS < x.numel() and math.isfinite(float(x.sum())):
        return _like(change(x, chance), x)
    kept = (x == 0) | ~x.isfinite()
    changed = change(torch.where(kept, 0.0, x), chance)
    return _like(torch.where(kept, x, changed), x)


def _like(made: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """`made` with the dtype and strides of `x`."""
    return torch.empty_like(x).copy_(made)
