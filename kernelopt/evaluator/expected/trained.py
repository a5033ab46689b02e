"""Weights as if somebody had trained them: what a constructor always sets to the same gets other numbers.

A gain of ones, a bias of zeros, stored moments of a fresh batch normalisation, a mixing matrix that begins
as the identity: a kernel that leaves them out, or a whole branch behind a gain of zero, would be right.
Candidates get the same numbers in the same places (`sandbox/trained.py`), in their constructors already,
since some fold and pack weights there.
"""

from __future__ import annotations

import torch

Key = tuple[str, tuple[int, ...], float]
Moved = dict[Key, list[tuple[torch.Tensor, torch.Tensor]]]
"""Kind, shape and first number → pairs of what stands there at first (one number: everywhere) and instead."""
MOMENTS = ("running_mean", "running_var")
"""Buffers that training changes, each a kind of its own; any other is what the constructor says."""
WEIGHT = "weight"
"""The kind of all parameters: under which name a kernel keeps them is its own affair."""
AROUND_ZERO, AROUND_OTHERS = 0.1, 0.25
"""How far a zero may move, and any other number as a part of itself: signs stay."""
MOST = 1 << 20
"""Elements of the largest parameter of several numbers that is moved: each kernel is sent them twice."""


def train(
    model: torch.nn.Module, seed: int, twin: torch.nn.Module | None = None, *, plain: bool = False
) -> Moved:
    """Replace the numbers of `model` that training would change and that are known before it.

    Args:
        model: the reference, whose parameters are changed in place.
        seed: of what they become.
        twin: the same made under another seed: what is the same in both is known.
        plain: move what is one number in several places, and nothing else.
    """
    moved: Moved = {}
    chance = torch.Generator().manual_seed(seed)
    others = {} if plain or twin is None else dict(_trainable(twin))
    for name, one in _trainable(model):
        begun = _known(one, others.get(name))
        if begun is not None:
            key = _kind(name), tuple(one.shape), float(one.flatten()[0])
            one.copy_(_fresh(moved.setdefault(key, []), one, begun, chance))
    return moved


def is_bold(moved: Moved) -> bool:
    """Whether single numbers were moved (an exponent, perhaps), or parameters of several."""
    pairs = [pair for pairs in moved.values() for pair in pairs]
    return any(begun.numel() > 1 or fresh.numel() == 1 for begun, fresh in pairs)


def _trainable(model: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Parameters and stored moments of floating point, by name."""
    named = [(name, one.detach()) for name, one in model.named_parameters() if one.requires_grad]
    named += [(name, one.detach()) for name, one in model.named_buffers() if _kind(name) != WEIGHT]
    return [(name, one) for name, one in named if one.dtype.is_floating_point and one.numel()]


def _kind(name: str) -> str:
    tail = name.rpartition(".")[2]
    return tail if tail in MOMENTS else WEIGHT


def _known(one: torch.Tensor, twin: torch.Tensor | None) -> torch.Tensor | None:
    """What a parameter always begins as: one number, or all of them; None where nobody knows."""
    first = one.flatten()[:1].clone()
    alike = bool((one == first).all())
    if alike and one.numel() > 1:
        return first
    if twin is None or one.numel() > MOST or not torch.equal(one, twin):
        return None
    return first if alike else one.clone()


def _fresh(
    pairs: list[tuple[torch.Tensor, torch.Tensor]],
    one: torch.Tensor,
    begun: torch.Tensor,
    chance: torch.Generator,
) -> torch.Tensor:
    """What stands in place of `begun`: the same wherever parameters of one kind and shape begin alike."""
    for before, fresh in pairs:
        if torch.equal(before, begun):
            return fresh
    spread = torch.rand(one.shape, generator=chance) * 2 - 1
    if one.numel() == 1:  # far enough away, as there is no other to be
        spread = (spread.abs() + 1) / 2 * spread.sign()
    zero = AROUND_ZERO if begun.numel() == 1 else AROUND_OTHERS * float(begun.square().mean().sqrt())
    wide = torch.where(begun == 0, zero, AROUND_OTHERS * begun.abs())
    pairs.append((begun, (begun + spread * wide).reshape(one.shape).to(one.dtype)))
    return pairs[-1][1]
