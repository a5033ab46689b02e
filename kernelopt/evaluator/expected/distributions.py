"""What a kernel is tried on beside the task's own inputs: changes of them that bite.

Each change is made from the tensor that ``get_inputs()`` returned and from a secret seed, so that a
kernel cannot know the mean, scale or place that it will meet. What honest kernels may rely on stays:
dtype, shape, strides, elements that are exactly zero (masks, triangles), infinities, tensors of few
distinct values (flags, targets of ±1), symmetric matrices and sorted vectors. Integers stay within the
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
from kernelopt.evaluator.expected.fixed import VARIATIONS

Change = Callable[[torch.Tensor, torch.Generator], torch.Tensor]

_INDICES = (torch.int64, torch.int32)
_ZEROS = 256
"""Zeros are structure (a mask, a triangle) from one element in so many; `torch.rand` makes one by chance."""
PATCHES = 8
"""One row in so many is unlike the others."""


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


def _given(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    return x


def _mixed(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Both signs, three to five times as wide.

    `torch.rand` inputs are never negative: an absolute value, a relu, a softmax without its maximum
    would go unnoticed, and rounding errors of a long sum drown in its size. The mean stays a twentieth
    of the width, because a sum that cancels altogether has no correct digits to compare.
    """
    centre, spread = _moments(x)
    scale = 3.0 + 2.0 * _uniform(chance)
    sign = 1.0 if _uniform(chance) < 0.5 else -1.0
    return (x - (centre - 0.05 * sign * spread)) * scale


def _steep(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Both signs, one element in eight beyond ±89 (±11.3 in float16), where `exp` overflows.

    Found this way: softmax, logsumexp, sigmoid, tanh, softplus without their guards. The largest float32
    whose exponential is finite is 88.7, the largest float16 11.1. Elements that differ still do.
    """
    centre, spread = _moments(x)
    reach = (11.8 if x.dtype == torch.float16 else 92.5) * (1.0 + 0.04 * _uniform(chance))
    away = x - centre
    return (away / (1.5 * spread)).clamp_(-1, 1) * (0.97 * reach) + away * (0.03 * reach / _largest(away))


def _large(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Both signs, up to about ±8000: eight products of such numbers overflow a float16."""
    return _steep(x, chance) * (90.0 if x.dtype != torch.float16 else 4.0)


def _small(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Rows by turns 2^-12 and 2^-100 times as large (2^-6 in float16), without any rounding.

    A variance far below epsilon shows which epsilon a normalisation uses, and whether it has one.
    """
    if x.dtype == torch.float16:
        return x * 2.0**-6
    scale = torch.full((len(x), *[1] * (x.dim() - 1)), 2.0**-12, dtype=x.dtype)
    scale[1::2] = 2.0**-100
    return x * scale


def _tiny(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Everything subnormal. Kernels that flush subnormals to zero pass: see `tolerances`."""
    return x * (torch.finfo(x.dtype).tiny / 2 / _largest(x))


def _constant(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Each row (all that belongs to one index of the first axis) one number; variance zero.

    Sixteenths up to ±1 and a zero: their sums and squares are exact in float32, so that every order
    of summation gives a mean without error.
    """
    choice = torch.randint(1, 17, (len(x),), generator=chance) / 16.0
    choice *= torch.randint(0, 2, (len(x),), generator=chance) * 2 - 1
    if len(x) > 1:
        choice[int(torch.randint(len(x), (1,), generator=chance))] = 0.0
    return choice.to(x.dtype).reshape(-1, *[1] * (x.dim() - 1)).expand(x.shape)


def _zeros(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """All zero: divisions of zero by zero, sums that are not set to zero first."""
    return torch.zeros_like(x)


def _outlier(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """In each row one element, at a random place, of sixteen times the width.

    Statistics of a part of the row, and moments that are assumed instead of computed, miss it.
    """
    _, spread = _moments(x)
    rows = x.reshape(len(x), -1).clone()
    where = torch.randint(rows.shape[1], (len(x), 1), generator=chance)
    sign = torch.randint(0, 2, (len(x), 1), generator=chance) * 2 - 1
    return rows.scatter_(1, where, (16.0 * spread * sign).to(x.dtype)).reshape(x.shape)


def _patchy(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """As given but for one row in eight, on average, which is as `_steep` or as `_mixed` has it.

    A kernel that looks at one row to tell the test's data from others takes the short way for all of them.
    Rows belong to the first axis longer than one. The first is never changed: it is the one looked at most.
    """
    rows = x.clone().flatten(0, next(axis for axis, size in enumerate(x.shape) if size > 1))
    coins = torch.rand(len(rows), generator=chance)
    coins[int(torch.randint(1, len(rows), (1,), generator=chance))] /= PATCHES
    coins[0] = 1.0
    steep = torch.rand(len(rows), generator=chance) < 0.5
    for change, here in ((_steep, steep), (_mixed, ~steep)):
        chosen = (coins < 1 / PATCHES) & here
        if chosen.any():
            rows[chosen] = change(rows[chosen], chance)
    return rows.reshape(x.shape)


def _sparse(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """All but every 64th element zero, on average."""
    return torch.where(torch.rand(x.shape, generator=chance) < 1 / 64, x, 0.0)


def _uneven(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Each element as it is or up to a thousand times smaller, evenly in powers; signs stay.

    For inputs that have one sign by nature: `torch.rand` never comes near zero, where a logarithm is
    steep and a reciprocal large.
    """
    return x * torch.rand(x.shape, generator=chance).mul_(-10.0).exp2_().to(x.dtype)


def _not_finite(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A few elements not a number or infinite, at random places.

    Only references that guard against them give finite outputs, and only such keep this sample.
    `-ffast-math` compiles a guard away.
    """
    flat = x.reshape(-1).clone()
    where = torch.randint(len(flat), (3 * max(1, len(flat) >> 12),), generator=chance)
    flat[where] = torch.tensor([math.nan, math.inf, -math.inf], dtype=x.dtype).repeat(len(where) // 3)
    return flat.reshape(x.shape)


def _flipped(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A quarter of a mask inverted, in rows that do not become all true or all false by it.

    A kernel that takes the test's mask for granted (all true, causal) does not read it.
    """
    made = x ^ (torch.rand(x.shape, generator=chance) < 0.25)
    counts = made.sum(-1, keepdim=True)
    return torch.where((counts == 0) | (counts == x.shape[-1]), x, made)


def _one_index(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Every index the same: all writers meet in one place."""
    flat = x.reshape(-1)
    return flat[int(torch.randint(len(flat), (1,), generator=chance))].expand(x.shape)


def _end_indices(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Smallest and largest index seen, at random: the ends of a table."""
    low, high = torch.aminmax(x)
    return torch.where(torch.rand(x.shape, generator=chance) < 0.5, low, high)


TRANSFORMS: dict[str, Distribution] = {
    "given": Distribution(_given),
    "mixed": Distribution(_mixed),
    "outlier": Distribution(_outlier, moves=True, mask=_flipped),
    "patchy": Distribution(_patchy, moves=True),
    "steep": Distribution(_steep, index=_end_indices),
    "constant": Distribution(_constant, moves=True, index=_one_index, degenerate=True),
    "small": Distribution(_small, moves=True, degenerate=True),
    "zeros": Distribution(_zeros, degenerate=True),
    "large": Distribution(_large),
    "sparse": Distribution(_sparse, moves=True),
    "tiny": Distribution(_tiny),
    "uneven": Distribution(_uneven, moves=True),
    "nonfinite": Distribution(_not_finite, moves=True, guarded=True),
    # Made by `fixed.vary`, which compares the inputs of two seeds.
    **{name: Distribution(_given) for name in VARIATIONS},
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


def _moments(x: torch.Tensor) -> tuple[float, float]:
    """Mean and standard deviation, of a part of a large tensor."""
    flat = x.reshape(-1)
    seen = flat[:: max(1, len(flat) >> 18)].float()
    seen = seen[seen != 0]
    if len(seen) < 2:
        return 0.0, 1.0
    spread, centre = torch.std_mean(seen)
    return float(centre), max(float(spread), 1e-30)


def _largest(x: torch.Tensor) -> float:
    """Largest magnitude, or something tiny to divide by instead of zero."""
    low, high = torch.aminmax(x)
    return max(abs(float(low)), abs(float(high)), 1e-30)


def _uniform(chance: torch.Generator) -> float:
    return float(torch.rand((), generator=chance))
