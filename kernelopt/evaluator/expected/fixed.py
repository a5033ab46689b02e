"""Inputs that are the same whatever the seed, changed all the same: a kernel gets them as arguments.

A state of zeros, an array of positions, a mask of ones: who never reads them, or has folded them into a
table, would be right. There are two such changes. `FIXED` keeps what a tensor is by nature: integers keep
their range, order and ends (they may be offsets), floats that are not one number everywhere stay as they are
(masks, tables). `MASKED` takes what is one number everywhere for a mask, or for numbers of segments: some
compare it with zero, some look things up by it, and only another whole number shows that it is read. Masks
that are added (zeros and minus infinities, causal for the most part) are turned over like those of booleans.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kernelopt.evaluator.data.arena import leaves
from kernelopt.evaluator.expected.changes import flipped

FIXED, MASKED = "fixed", "masked"
"""The names of these changes among `distributions.TRANSFORMS`."""
AROUND_ZERO, AROUND_OTHERS = 0.1, 0.25
"""Standard deviation of what stands for a zero; how far another number moves, as a part of itself."""
GAP = 3
"""Integers so far from each other at least stay distinct: empty segments are another matter."""
HIDING = -1e4
"""The most that a mask adds to scores that shall not count."""
HIDDEN = 0.25
"""Part of a mask that is turned over."""
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@dataclass(frozen=True, slots=True)
class Variation:
    """One way to change what begins alike under every seed."""

    applies: Callable[[torch.Tensor], bool]
    """To which tensors, by what one of them shows."""
    change: Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def vary(args: Sequence[Any], again: Callable[[], Sequence[Any]], seed: int, name: str = FIXED) -> list[Any]:
    """`args` with new content in tensors that begin alike under every seed; the others are the same objects.

    Args:
        args: what ``get_inputs()`` returned.
        again: the same under another seed; asked for only where something in `args` looks fixed.
        seed: of the content.
        name: one of `VARIATIONS`.
    """
    how = VARIATIONS[name]
    # Beside a plain integer, integers in order may be offsets of segments that it is the largest size of.
    tied = name == FIXED and any(type(arg) is int for arg in args)
    likely = [how.applies(x) and not (tied and not x.is_floating_point()) for x in leaves(list(args))]
    if not any(likely):
        return list(args)
    chance = torch.Generator().manual_seed(seed)
    pairs = zip(leaves(list(args)), leaves(list(again())), likely, strict=True)
    made = [how.change(x, chance) if here and torch.equal(x, other) else x for x, other, here in pairs]
    return [_placed(arg, made) for arg in args]


def _looks_fixed(x: torch.Tensor) -> bool:
    """One number everywhere, or alone; or integers in order."""
    if x.is_floating_point():
        return _is_uniform(x) or (x.dim() == 0 and bool(x.isfinite()))
    if x.numel() < 2 or x.layout != torch.strided or x.is_complex() or x.dtype == torch.bool:
        return False
    return x.dim() == 1 and len(x) > 2 and bool((x.long().diff() >= 1).all())


def _is_uniform(x: torch.Tensor) -> bool:
    """One finite number everywhere."""
    if x.numel() < 2 or x.layout != torch.strided or x.is_complex():
        return False
    first = x.reshape(-1)[0]
    return math.isfinite(float(first)) and bool((x == first).all())


def _hides(x: torch.Tensor) -> bool:
    """One number everywhere; or what is added to scores, to hide some of them."""
    return _is_uniform(x) or _is_added(x)


def _is_added(x: torch.Tensor) -> bool:
    if not x.is_floating_point() or x.element_size() < 2 or x.dim() < 2 or x.layout != torch.strided:
        return False
    low = x.min()
    return float(low) <= HIDING and float(x.max()) == 0 and bool(((x == 0) | (x == low)).all())


def _varied(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    made = _numbers(x, chance) if x.is_floating_point() else _order(x.long(), chance)
    return torch.empty_like(x).copy_(made)


def _masked(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Zero in a quarter of the places, or one where it was zero; never in a whole row, which is of no use."""
    if _is_added(x):
        return torch.empty_like(x).copy_(torch.where(flipped(x == 0, chance), 0.0, x.min()))
    other = torch.rand(x.shape, generator=chance) < HIDDEN
    other.view(-1)[int(torch.randint(x.numel(), (1,), generator=chance))] = True
    row = max(axis for axis, size in enumerate(x.shape) if size > 1)
    other &= ~other.all(dim=row, keepdim=True)
    number, bits = (x.reshape(-1)[:1] == 0).to(x.dtype), _BITS[x.element_size()]
    made = torch.where(other, number.view(bits), x.view(bits))  # of bits, since short types know little else
    return torch.empty_like(x).copy_(made.view(x.dtype))


def _numbers(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    first = float(x.reshape(-1)[0])
    if x.dim() == 0:  # far enough away, as there is no other to be
        sign, far = torch.rand(2, generator=chance).tolist()
        power = math.copysign(1 + far, sign - 0.5)
        return torch.tensor(power * AROUND_ZERO if first == 0 else first * 2 ** (power / 2))
    if first == 0:
        return torch.randn(x.shape, generator=chance) * AROUND_ZERO
    return first * (1 + AROUND_OTHERS * (2 * torch.rand(x.shape, generator=chance) - 1))


def _order(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Rising integers in the same range, the first and the last where they are."""
    room = (int(x.diff().min()) - 1) // 2
    if int(x.diff().min()) >= GAP:
        made = x + torch.randint(-room, room + 1, x.shape, generator=chance)
    else:
        made = torch.randint(int(x[0]), int(x[-1]) + 1, x.shape, generator=chance).sort().values
    made[0], made[-1] = x[0], x[-1]
    return made


VARIATIONS: Mapping[str, Variation] = {
    FIXED: Variation(_looks_fixed, _varied),
    MASKED: Variation(_hides, _masked),
}
"""Name → what it applies to, and what it makes of that."""


def _placed(arg: Any, made: list[torch.Tensor]) -> Any:
    """`arg` with its tensors, in order, from the front of `made`."""
    if isinstance(arg, torch.Tensor):
        return made.pop(0)
    if isinstance(arg, list | tuple):
        return type(arg)([_placed(part, made) for part in arg])
    return {key: _placed(part, made) for key, part in arg.items()} if isinstance(arg, dict) else arg
