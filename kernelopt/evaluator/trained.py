"""Weights as if somebody had trained them: what a constructor sets to one number gets others.

A gain of ones, a bias of zeros, stored moments of a fresh batch normalisation: a kernel that leaves them out,
or a whole branch behind a gain of zero, would be right. Candidates get the same numbers in the same
places (`sandbox/trained.py`), in their constructors already, since some fold and pack weights there.
"""

from __future__ import annotations

import torch

Moved = dict[tuple[tuple[int, ...], float], torch.Tensor]
"""Shape and number → what stands there instead, in every such parameter of a model."""
MOMENTS = ("running_mean", "running_var")
"""Buffers that training changes; any other is what the constructor says."""
AROUND_ZERO, AROUND_OTHERS = 0.1, 0.25
"""How far a zero may move, and any other number as a part of itself: signs stay."""


def train(model: torch.nn.Module, seed: int) -> Moved:
    """Replace the numbers of `model` that training would change and that are all the same so far."""
    moved: Moved = {}
    chance = torch.Generator().manual_seed(seed)
    buffers = [one for name, one in model.named_buffers() if name.rpartition(".")[2] in MOMENTS]
    for one in [*(each for each in model.parameters() if each.requires_grad), *buffers]:
        first = one.detach().flatten()[:1]
        if one.dtype.is_floating_point and one.numel() > 1 and bool((one == first).all()):
            number = float(first)
            wide = AROUND_OTHERS * abs(number) if number else AROUND_ZERO
            away = (torch.rand(one.shape, generator=chance) * 2 - 1) * wide
            fresh = moved.setdefault((tuple(one.shape), number), (number + away).to(one.dtype))
            with torch.no_grad():
                one.copy_(fresh)
    return moved
