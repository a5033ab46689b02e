"""Weights as if somebody had trained them, while a model is made: see `evaluator/expected/trained.py`.

What a constructor sets to what the reference's begins as, or draws like it, is replaced at once by what the
judge put in its place there: the constructor may fold it into other weights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.nn import init
from torch.nn.modules.batchnorm import _NormBase
from torch.overrides import TorchFunctionMode

FILE, STATE = "moved.pt", "state.pt"
"""In the job's folder: by kind, shape and first number what is replaced, and the name of what replaces it."""
MEAN, VAR, WEIGHT = KINDS = ("running_mean", "running_var", "weight")
"""Numbers of each kind are others: a stored variance and a gain, which both begin as ones, too."""
STORED = {"mean": MEAN, "var": VAR}
FROZEN = (*STORED, WEIGHT, "bias")
"""What buffers of a frozen normalisation are called."""
DRAWN = "drawn"
"""The kind of random numbers, which are known wherever they come from: no two of them are alike."""
GLIMPSE = 1 << 12
"""Elements of a large tensor that are looked at (`glimpse` on the other side)."""
USUAL = {0.0: MEAN, 1.0: VAR}
"""What a buffer is taken for that is set without its name being known."""

Placed = tuple[tuple[Any, str], ...]
"""Tensors that a function has just set, and what each is taken for."""


@contextlib.contextmanager
def trained(folder: Path) -> Iterator[None]:
    """Replace parameters, and stored moments, that are set to what they always begin as meanwhile."""
    path = folder / FILE
    moved = torch.load(path, weights_only=False) if path.exists() else {}
    if not moved:
        yield
        return
    mover = Mover(moved, torch.load(folder / STATE, weights_only=True, mmap=True))
    with contextlib.ExitStack() as stack:
        for owner, name, places in SETTERS:
            original = getattr(owner, name)
            setattr(owner, name, mover.behind(original, places))
            stack.callback(setattr, owner, name, original)
        stack.enter_context(Drawing(mover) if mover.drawn else contextlib.nullcontext())
        yield


class Mover:
    """Puts into tensors what the judge wants there."""

    def __init__(self, moved: dict, state: dict):
        self._moved, self._state = moved, state
        self.drawn = {shape for kind, shape, _ in moved if kind == DRAWN}
        """Shapes of the random parameters."""

    def move(self, tensor: Any, kind: str) -> None:
        """Replace the content of a tensor of this kind, if it is one that the judge knows."""
        if not isinstance(tensor, torch.Tensor) or not tensor.numel() or not tensor.dtype.is_floating_point:
            return
        shape, first = tuple(tensor.shape), float(tensor.detach().flatten()[0])
        # A kernel may keep the one as the other; where the reference has no such, it is what the other is.
        for each in (DRAWN,) if kind == DRAWN else (kind, *KINDS, DRAWN):
            for begun, name in self._moved.get((each, shape, first), ()):
                if is_like(tensor.detach(), begun.to(tensor.device)):
                    with torch.no_grad():
                        tensor.copy_(self._state[name])
                    return

    def behind(self, original: Callable, places: Callable[..., Placed]) -> Callable:
        """The function, with what it has set replaced before it returns."""

        def run(*args: Any, **named: Any) -> Any:
            result = original(*args, **named)
            for tensor, kind in places(*args, **named):
                self.move(tensor, kind)
            return result

        return run


class Drawing(TorchFunctionMode):
    """Looks at whatever an operator returns, as random numbers may be packed at once."""

    def __init__(self, mover: Mover):
        super().__init__()
        self._mover = mover

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if (
            isinstance(made, torch.Tensor)
            and made.layout is torch.strided
            and made.shape in self._mover.drawn
        ):
            self._mover.move(made, DRAWN)
        return made


def is_like(tensor: Any, begun: Any) -> bool:
    """Whether a tensor is, at a glance, what a parameter began as."""
    flat = tensor.flatten()
    if begun.numel() > 1 and flat.numel() > GLIMPSE:
        flat = flat[:: max(1, flat.numel() // GLIMPSE | 1)]
    return bool((flat == begun).all())


def initialised(tensor: Any, *_: Any, **__: Any) -> Placed:
    """What a function of ``torch.nn.init`` has set."""
    if not isinstance(tensor, torch.Tensor) or tensor.requires_grad or not tensor.numel():
        return ((tensor, WEIGHT),)
    return ((tensor, USUAL.get(float(tensor.flatten()[0]), WEIGHT)),)


def registered(module: Any, name: str, param: Any) -> Placed:
    """What ``register_parameter`` has set."""
    fixed = param is not None and not param.requires_grad
    return ((param, kind_of(name) if fixed or name in KINDS else WEIGHT),)


def own(module: Any, name: str, tensor: Any, *_: Any, **__: Any) -> Placed:
    """What ``register_buffer`` has set, if it is called like a buffer of a normalisation."""
    usual = name.startswith("running_") or (name in FROZEN and getattr(tensor, "ndim", 0) == 1)
    return ((tensor, kind_of(name)),) if usual else ()


def moments(norm: Any) -> Placed:
    """What ``reset_running_stats`` has set."""
    return (norm.running_mean, MEAN), (norm.running_var, VAR)


def kind_of(name: str) -> str:
    """What a buffer or a fixed parameter of that name is taken for."""
    short = STORED.get(name, name)
    return short if short in KINDS else WEIGHT


SETTERS: tuple[tuple[Any, str, Callable[..., Placed]], ...] = (
    *((init, f"{each}_", initialised) for each in ("ones", "zeros", "constant", "eye", "dirac")),
    (torch.nn.Module, "register_parameter", registered),
    (torch.nn.Module, "register_buffer", own),
    (_NormBase, "reset_running_stats", moments),
)
"""Functions that set parameters and buffers: where they are, and what they have set."""
