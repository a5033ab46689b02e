"""Weights as if somebody had trained them: what a constructor makes gets other numbers.

A gain of ones, a bias of zeros, stored moments of a fresh batch normalisation, a mixing matrix that begins
as the identity: a kernel that leaves them out, or a whole branch behind a gain of zero, would be right. So
would one that takes for granted what random numbers begin as: tiny, positive, below one, orthogonal.
Candidates get the same numbers in the same places (`sandbox/trained.py`), in their constructors already,
since some fold and pack weights there. `bearing` says how far a task's parameters may move.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

Key = tuple[str, tuple[int, ...], float]
Moved = dict[Key, list[tuple[torch.Tensor, str]]]
"""Kind, shape and first number → what stands there at first (see `glimpse`), and which parameter or buffer
of the reference holds what stands there instead."""
MOMENTS = ("running_mean", "running_var")
"""Buffers that training changes, each a kind of its own; any other is what the constructor says, but for
gain and bias of a normalisation that is frozen: those come from where its moments do."""
STORED = {"mean": "running_mean", "var": "running_var"} | {name: name for name in MOMENTS}
"""What stored moments are called, and their kind."""
WEIGHT = "weight"
"""The kind of all parameters: under which name a kernel keeps them is its own affair."""
DRAWN = "drawn"
"""The kind of parameters that another seed makes others of: nothing else can be taken for them."""
AROUND_ZERO, AROUND_OTHERS = 0.1, 0.25
"""How far a zero may move, and any other number as a part of itself: signs stay."""
LARGER = 0.25
"""The part of a vector's numbers that become larger."""
GLIMPSE = 1 << 12
"""Elements of a parameter by which it is known again; of a larger one about so many, evenly spread."""
FAINT = 1e-3
"""Random numbers that are smaller than this begin as next to nothing, but training moves them."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far parameters move that have more than one number; signs and scale are part of the structure."""

    matrices: str = "kept"
    """``redrawn``: other numbers of the same spread; ``shuffled``: the same ones elsewhere."""
    factors: tuple[float, float] | None = None
    """Vectors: the least and the most that a number is multiplied by, as powers of two."""
    turned: bool = False
    """Whether numbers of vectors change their signs, by the toss of a coin."""
    single: bool = True
    """Whether numbers are moved that stand alone, or that are known though there are several."""


LADDER = (
    Step("redrawn", (-1.0, 2.4), turned=True),
    Step("redrawn", (-1.0, 1.0), turned=True),
    Step("shuffled", (-1.0, 1.0)),
    Step("kept", (-1.0, 1.0), turned=True),
    Step("redrawn"),
    Step(),
    Step(single=False),
)
"""From the boldest to what every reference is taken to bear."""
KNOWN = LADDER[-2]


def train(
    model: torch.nn.Module, seed: int, twin: torch.nn.Module | None = None, step: Step = KNOWN
) -> Moved:
    """Replace the numbers of `model` that training would change.

    Args:
        model: the reference, whose parameters are changed in place.
        seed: of what they become.
        twin: the same made under another seed: what is the same in both is known.
        step: how far.
    """
    moved: Moved = {}
    named = dict(_trainable(model))
    others = dict(_trainable(twin)) if twin is not None else {}
    chance = torch.Generator().manual_seed(seed)
    for name, one in named.items():
        drawn = name in others and not torch.equal(one, others[name])
        if _stays(one, name in others, drawn, step):
            continue
        fresh = _fresh(one, step if _kind(name) == WEIGHT else KNOWN, chance)
        pairs = moved.setdefault((DRAWN if drawn else _kind(name), tuple(one.shape), _first(one)), [])
        begun = glimpse(one)
        alike = [known for before, known in pairs if not drawn and torch.equal(before, begun)]
        pairs += [] if alike else [(begun, name)]
        one.copy_(named[alike[0]] if alike else fresh)
    return moved


def glimpse(one: torch.Tensor) -> torch.Tensor:
    """What a parameter is known by: one number if all are that, else numbers from everywhere."""
    flat = one.detach().flatten()
    if bool((flat == flat[0]).all()):
        return flat[:1].clone()
    return flat[:: max(1, len(flat) // GLIMPSE | 1)].clone() if len(flat) > GLIMPSE else flat.clone()


def _trainable(model: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Parameters and stored moments of floating point, by name, as far as others are told of them."""
    state = model.state_dict().keys()
    named = [(name, one.detach()) for name, one in model.named_parameters() if one.requires_grad]
    for place, module in model.named_modules():
        own = {name: one.detach() for name, one in module.named_buffers(recurse=False)}
        chosen = own if _is_frozen(own) else own.keys() & set(MOMENTS)
        named += [(f"{place}.{name}".lstrip("."), one) for name, one in own.items() if name in chosen]
    return [(name, one) for name, one in named if name in state and _is_plain(one)]


def _is_frozen(own: Mapping[str, torch.Tensor]) -> bool:
    """Whether these buffers are all numbers of a normalisation: gain, bias, mean and variance."""
    kinds = {STORED.get(name, name) for name in own if not name.startswith("num_")}
    shapes = {tuple(one.shape) for name, one in own.items() if not name.startswith("num_")}
    return kinds == {*MOMENTS, WEIGHT, "bias"} and len(shapes) == 1


def _is_plain(one: torch.Tensor) -> bool:
    """Whether it holds real numbers, each in a place of its own."""
    own = all(size < 2 or stride for size, stride in zip(one.shape, one.stride(), strict=True))
    return one.dtype.is_floating_point and one.numel() > 0 and own


def _kind(name: str) -> str:
    return STORED.get(name.rpartition(".")[2], WEIGHT)


def _first(one: torch.Tensor) -> float:
    return float(one.flatten()[0])


def _stays(one: torch.Tensor, twin: bool, drawn: bool, step: Step) -> bool:
    """Whether nothing happens to a parameter: nobody knows what it begins as, or it is too much."""
    alike = bool((one == _first(one)).all())
    if drawn:
        return step.matrices == "kept" if _is_matrix(one) else step.factors is None
    return not (alike and one.numel() > 1) and not (twin and step.single)


def _is_matrix(one: torch.Tensor) -> bool:
    return sum(size > 1 for size in one.shape) > 1


def _fresh(one: torch.Tensor, step: Step, chance: torch.Generator) -> torch.Tensor:
    """What stands in place of `one`."""
    begun, alike = one.float(), bool((one == _first(one)).all())
    if _is_matrix(one) and not alike and step.matrices != "kept":
        made = _mixed(begun, step.matrices, chance)
    elif _is_matrix(one) or step.factors is None or not one.any():
        made = _near(begun, alike, chance)
    else:
        made = _far(begun, step.factors, step.turned, chance)
    return made.to(one.dtype)


def _near(begun: torch.Tensor, alike: bool, chance: torch.Generator) -> torch.Tensor:
    """Numbers not far from those; signs stay."""
    spread = torch.rand(begun.shape, generator=chance) * 2 - 1
    if begun.numel() == 1:  # far enough away, as there is no other to be
        spread = (spread.abs() + 1) / 2 * spread.sign()
    zero = AROUND_ZERO if alike else AROUND_OTHERS * _size(begun)
    spread *= torch.where(begun == 0, zero, AROUND_OTHERS * begun.abs())
    return begun + spread


def _far(
    begun: torch.Tensor, factors: tuple[float, float], turned: bool, chance: torch.Generator
) -> torch.Tensor:
    """Numbers of a vector in another order, each smaller or (one in four) larger than it was."""
    made = _shuffled(begun, chance) * (AROUND_ZERO / _size(begun) if _size(begun) < FAINT else 1.0)
    coins, how_far, signs = torch.rand(3, *begun.shape, generator=chance)
    powers = torch.where(coins < LARGER, factors[1], factors[0]) * (1 + how_far) / 2
    made *= powers.exp2()
    made[(signs < 0.5) & turned] *= -1
    return made


def _mixed(begun: torch.Tensor, how: str, chance: torch.Generator) -> torch.Tensor:
    """A matrix without its structure, and not smaller than others before training."""
    if how == "shuffled":
        return _shuffled(begun, chance)
    rows, columns = begun.squeeze().shape[:2]
    least = 0.5 * math.sqrt(min(rows, columns) / begun.numel())
    return torch.randn(begun.shape, generator=chance) * max(least, _size(begun))


def _shuffled(begun: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    order = torch.randperm(begun.numel(), generator=chance)
    return begun.flatten()[order].reshape(begun.shape)


def _size(begun: torch.Tensor) -> float:
    return float(begun.square().mean().sqrt())
