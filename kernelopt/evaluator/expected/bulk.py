"""Figures of an output without its few huge numbers, where it has such: what most elements are held to.

The root mean square of quotients by what is near zero, of exponentials, or of columns x and x⁸ side by
side is that of a few numbers, beside which whole terms of the others are small. So where an output has such
a tail on the task's own inputs, it is held to a second tolerance besides: of a much smaller absolute part,
made of what most elements are and of errors that are out of proportion, and a wider relative one.

It is asked for on evidence only: of many elements, so that the largest error among them is no luck; and
never of less than of the task's own inputs, since what makes numbers small elsewhere (a clamp, a saturated
gate) errs by the last digits of usual ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from kernelopt.suites._trivial import glance

MOST = 0.9
"""Part of the elements other than zero whose root mean square is that of the bulk. Well above a half: gates
(gelu, silu) leave almost nothing of one, and honest ones err by the last digits of what they shut out."""
HEAVY = 4.0
"""An output has a tail where its root mean square is so many times that of its bulk (a normal distribution:
1.3), and the tolerance is as many times what it would be for the bulk alone."""
LEAST = 2**-30
"""Part of the root mean square that a bulk is at least taken to be: what is less beside it may be flushed to
zero, as a clamped exponential does."""
MANY = 4096
"""An output of fewer elements has no bulk, nor has a column."""
FIFTH, LOOKED_AT = 5, 1000
"""Of a glance every fifth element tells (an odd number, as its steps are), and of a column so many."""
COLUMNS = 64
"""Up to so many columns are looked at each by itself: they may be of different things."""
WIDER = 16.0
"""The relative part of the second tolerance, in floors; and so much more is spared of each number's errors:
an exponential near the end of its range multiplies an ulp of its argument by eighty."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """What the second tolerance is made of; in units of the output."""

    scale: float
    """`HEAVY` times the root mean square of the bulk, or of its smallest column; not below `LEAST`."""
    excess: float = 0.0
    """Largest error of PyTorch's own result beyond `WIDER` times what is usually spared of each number."""
    moved: float = 0.0
    """The same of how far rounding moves it."""

    def like(self, usual: Bulk) -> Bulk:
        """Held to no less than on the task's own inputs (`usual`)."""
        return replace(self, scale=max(self.scale, usual.scale))

    def filled(self, usual: Bulk) -> Bulk:
        """The same, with figures that were not measured: in proportion to those of `usual`."""
        part = self.scale / usual.scale
        excess, moved = max(self.excess, usual.excess * part), max(self.moved, usual.moved * part)
        return Bulk(max(self.scale, usual.scale), excess, moved)


def bulk(value: torch.Tensor, rms: float) -> Bulk | None:
    """The bulk of an output in fp64 whose root mean square is `rms`; None where it has no tail."""
    if value.numel() < MANY:
        return None
    sizes = [_lower(part) for part in (glance(value)[::FIFTH], *_columns(value))]
    scale = max(HEAVY * min((size for size in sizes if size), default=rms), LEAST * rms)
    return Bulk(scale) if scale < rms else None


def _columns(value: torch.Tensor) -> list[torch.Tensor]:
    """What lies side by side along the last axis, where that is a few long columns; evenly spread."""
    count = value.shape[-1]
    if not 1 < count <= COLUMNS or value.numel() < MANY * count:
        return []
    rows = value.reshape(-1, count)
    return list(rows[:: len(rows) // LOOKED_AT].T)


def _lower(value: torch.Tensor) -> float:
    """Root mean square of all but the largest elements; 0 where all are zero."""
    sizes = value.abs()
    sizes = sizes[sizes.isfinite() & (sizes > 0)]
    kept = int(len(sizes) * MOST)
    return float(sizes[sizes <= sizes.kthvalue(kept).values].square().mean().sqrt()) if kept else 0.0
