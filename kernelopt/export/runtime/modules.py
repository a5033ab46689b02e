"""Modules made once and called with weights that belong to somebody else."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

MOST = 32
"""Instances that a kernel keeps, one for each set of weights and shapes."""


class Reference:
    """The operator's definition, called with given parameters."""

    def __init__(self, make: Callable[[], nn.Module], names: Sequence[str]) -> None:
        self._make, self._names = make, names
        self._module: nn.Module | None = None
        self._lock = threading.RLock()

    def __call__(self, inputs: Sequence[Any], state: Sequence[torch.Tensor]) -> Any:
        """What the module returns for `inputs`, its state replaced by `state`."""
        with self._lock:
            given = dict(zip(self._names, state, strict=True))
            return torch.func.functional_call(self.module(), given, tuple(inputs))

    def module(self) -> nn.Module:
        """The module itself, with the weights that it was made with."""
        with self._lock:
            if self._module is None:
                self._module = _constructed(self._make, torch.device("cpu"))
            return self._module


@dataclass(frozen=True, slots=True)
class _Kept:
    module: nn.Module
    versions: Sequence[Any]
    weights: Sequence[torch.Tensor]
    """Held, so that nothing else comes to lie at their addresses."""


class Instances:
    """Instances of a kernel's module, each with a copy of one set of weights.

    A kernel may pack its weights, or keep work space, when it is first called. So an instance is used
    again only for the same shapes and the same weights: same memory, same version of it. (Writes
    through ``.data`` are not counted by PyTorch: write under ``torch.no_grad()`` instead.) Weights that
    were written to, by an optimizer say, get a new instance in place of the old one.
    """

    def __init__(self, make: Callable[[], nn.Module], names: Sequence[str]) -> None:
        self._make, self._names = make, names
        self._kept: OrderedDict[Any, _Kept] = OrderedDict()

    def get(self, inputs: Sequence[Any], state: Sequence[torch.Tensor]) -> nn.Module:
        """The module for these weights, made where there is none."""
        shapes = tuple(tuple(one.shape) if isinstance(one, torch.Tensor) else one for one in inputs)
        key = (shapes, tuple((one.data_ptr(), one.dtype) for one in state))
        versions = [_version(one) for one in state]
        found = self._kept.pop(key, None)
        if found is None or found.versions != versions:
            found = _Kept(self._made(state), versions, [one.detach() for one in state])
        self._kept[key] = found
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return found.module

    def _made(self, state: Sequence[torch.Tensor]) -> nn.Module:
        device = state[0].device if state else torch.device("cpu")
        module = _constructed(self._make, device)
        with torch.inference_mode(False), torch.no_grad():
            module.load_state_dict(dict(zip(self._names, state, strict=True)), strict=False)
        return module


def _version(tensor: torch.Tensor) -> Any:
    """PyTorch's count of writes; inference tensors have none and are never taken for the same."""
    return object() if tensor.is_inference() else tensor._version


def _constructed(make: Callable[[], nn.Module], device: torch.device) -> nn.Module:
    """A new module; the user's random numbers go on as if none had been made."""
    with torch.inference_mode(False), torch.no_grad(), torch.random.fork_rng(devices=[]), device:
        return make()


def owned(value: Any, depth: int = 4) -> Iterator[torch.Tensor]:
    """Tensors that a module, or a container in it, holds on to."""
    if isinstance(value, torch.Tensor):
        yield value
    elif depth:
        parts: Sequence[Any] = ()
        if isinstance(value, nn.Module):
            parts = list(vars(value).values())
        elif isinstance(value, Mapping):
            parts = list(value.values())
        elif isinstance(value, list | tuple):
            parts = value
        for part in parts:
            yield from owned(part, depth - 1)
