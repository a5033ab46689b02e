"""What happens to one tensor: each function is one change, and its docstring says what it finds.

Each makes another tensor of the one that ``get_inputs()`` returned and of a secret seed, so that a kernel
cannot know the mean, scale or place that it will meet. What they apply to is decided in `distributions`.
"""

from __future__ import annotations

import math

import torch

PATCHES = 8
"""One row in so many is unlike the others."""


def given(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Nothing."""
    return x


def mixed(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Both signs, three to five times as wide.

    `torch.rand` inputs are never negative: an absolute value, a relu, a softmax without its maximum
    would go unnoticed, and rounding errors of a long sum drown in its size. The mean stays a twentieth
    of the width, because a sum that cancels altogether has no correct digits to compare.
    """
    centre, spread = _moments(x)
    scale = 3.0 + 2.0 * _uniform(chance)
    sign = 1.0 if _uniform(chance) < 0.5 else -1.0
    return (x - (centre - 0.05 * sign * spread)) * scale


def steep(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Both signs, one element in eight beyond ±89 (±11.3 in float16), where `exp` overflows.

    Found this way: softmax, logsumexp, sigmoid, tanh, softplus without their guards. The largest float32
    whose exponential is finite is 88.7, the largest float16 11.1. Elements that differ still do.
    """
    centre, spread = _moments(x)
    reach = (11.8 if x.dtype == torch.float16 else 92.5) * (1.0 + 0.04 * _uniform(chance))
    away = x - centre
    return (away / (1.5 * spread)).clamp_(-1, 1) * (0.97 * reach) + away * (0.03 * reach / _largest(away))


def large(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Both signs, up to about ±8000: eight products of such numbers overflow a float16."""
    return steep(x, chance) * (90.0 if x.dtype != torch.float16 else 4.0)


def small(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Rows by turns 2^-12 and 2^-100 times as large (2^-6 in float16), without any rounding.

    A variance far below epsilon shows which epsilon a normalisation uses, and whether it has one.
    """
    if x.dtype == torch.float16:
        return x * 2.0**-6
    scale = torch.full((len(x), *[1] * (x.dim() - 1)), 2.0**-12, dtype=x.dtype)
    scale[1::2] = 2.0**-100
    return x * scale


def tiny(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Everything subnormal. Kernels that flush subnormals to zero pass: see `tolerances`."""
    return x * (torch.finfo(x.dtype).tiny / 2 / _largest(x))


def constant(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Each row (all that belongs to one index of the first axis) one number; variance zero.

    Sixteenths up to ±1 and a zero: their sums and squares are exact in float32, so that every order
    of summation gives a mean without error.
    """
    choice = torch.randint(1, 17, (len(x),), generator=chance) / 16.0
    choice *= torch.randint(0, 2, (len(x),), generator=chance) * 2 - 1
    if len(x) > 1:
        choice[int(torch.randint(len(x), (1,), generator=chance))] = 0.0
    return choice.to(x.dtype).reshape(-1, *[1] * (x.dim() - 1)).expand(x.shape)


def zeros(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """All zero: divisions of zero by zero, sums that are not set to zero first."""
    return torch.zeros_like(x)


def outlier(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """In each row one element, at a random place, of sixteen times the width.

    Statistics of a part of the row, and moments that are assumed instead of computed, miss it.
    """
    _, spread = _moments(x)
    rows = x.reshape(len(x), -1).clone()
    where = torch.randint(rows.shape[1], (len(x), 1), generator=chance)
    sign = torch.randint(0, 2, (len(x), 1), generator=chance) * 2 - 1
    return rows.scatter_(1, where, (16.0 * spread * sign).to(x.dtype)).reshape(x.shape)


def patchy(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """As given but for one row in eight, on average, which is as `steep` or as `mixed` has it.

    A kernel that looks at one row to tell the test's data from others takes the short way for all of them.
    Rows belong to the first axis longer than one. The first is never changed: it is the one looked at most.
    """
    rows = x.clone().flatten(0, next(axis for axis, size in enumerate(x.shape) if size > 1))
    coins = torch.rand(len(rows), generator=chance)
    coins[int(torch.randint(1, len(rows), (1,), generator=chance))] /= PATCHES
    coins[0] = 1.0
    high = torch.rand(len(rows), generator=chance) < 0.5
    for change, here in ((steep, high), (mixed, ~high)):
        chosen = (coins < 1 / PATCHES) & here
        if chosen.any():
            rows[chosen] = change(rows[chosen], chance)
    return rows.reshape(x.shape)


def sparse(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """All but every 64th element zero, on average."""
    return torch.where(torch.rand(x.shape, generator=chance) < 1 / 64, x, 0.0)


def uneven(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Each element as it is or up to a thousand times smaller, evenly in powers; signs stay.

    For inputs that have one sign by nature: `torch.rand` never comes near zero, where a logarithm is
    steep and a reciprocal large.
    """
    return x * torch.rand(x.shape, generator=chance).mul_(-10.0).exp2_().to(x.dtype)


def not_finite(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A few elements not a number or infinite, at random places.

    Only references that guard against them give finite outputs, and only such keep this sample.
    `-ffast-math` compiles a guard away.
    """
    flat = x.reshape(-1).clone()
    where = torch.randint(len(flat), (3 * max(1, len(flat) >> 12),), generator=chance)
    flat[where] = torch.tensor([math.nan, math.inf, -math.inf], dtype=x.dtype).repeat(len(where) // 3)
    return flat.reshape(x.shape)


def flipped(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A quarter of a mask inverted, in rows that do not become all true or all false by it.

    A kernel that takes the test's mask for granted (all true, causal) does not read it.
    """
    made = x ^ (torch.rand(x.shape, generator=chance) < 0.25)
    counts = made.sum(-1, keepdim=True)
    return torch.where((counts == 0) | (counts == x.shape[-1]), x, made)


def one_index(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Every index the same: all writers meet in one place."""
    flat = x.reshape(-1)
    return flat[int(torch.randint(len(flat), (1,), generator=chance))].expand(x.shape)


def end_indices(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Smallest and largest index seen, at random: the ends of a table."""
    low, high = torch.aminmax(x)
    return torch.where(torch.rand(x.shape, generator=chance) < 0.5, low, high)


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
