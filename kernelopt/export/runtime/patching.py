"""Swaps submodules of a model that compute what an operator computes, and undoes it.

A submodule matches when, traced on the measured and on other shapes, it performs the same ATen
operations with the same constants on its inputs and its state as the operator's reference: class and
configuration both show in that. Its class is then replaced by a subclass with another ``forward``;
parameters, hooks, ``state_dict`` and ``isinstance`` stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kernelopt.export.runtime.operators import Operator
from kernelopt.export.runtime.programs import fits, programs

_MARK = "_optimised_from"


@dataclass(frozen=True, slots=True)
class Swap:
    """One submodule that was swapped."""

    path: str
    """Its name in the model; empty for the model itself."""
    module: str
    """Class and configuration, as PyTorch prints them."""
    operator: str

    def __str__(self) -> str:
        return f"{self.path or '(the model)'}: {self.module} → {self.operator}"


def patch(model: nn.Module, operators: Mapping[str, Operator]) -> list[Swap]:
    """Swap every submodule that an operator stands for; what was swapped, in the model's order.

    Of modules inside of one another the outermost is swapped, unless all that it does is done by one inside.
    """
    wanted = {name: programs(operator.reference.module(), operator) for name, operator in operators.items()}
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    modules = {path: one for path, one in model.named_modules() if not hasattr(type(one), _MARK)}
    for path, module in modules.items():
        for name, operator in operators.items():
            order = fits(module, operator, wanted[name])
            if order is not None:
                found[path] = name, order
                break
    swaps: list[Swap] = []
    for path, (name, order) in found.items():
        inside = [inner for inner in found if inner != path and _holds(path, inner)]
        if any(found[inner][0] == name for inner in inside) or any(_holds(swap.path, path) for swap in swaps):
            continue
        swaps.append(Swap(path, _shown(modules[path]), operators[name].name))
        _swap(modules[path], operators[name], order)
    return swaps


def _holds(outer: str, inner: str) -> bool:
    return not outer or inner.startswith(f"{outer}.")


def unpatch(model: nn.Module) -> list[str]:
    """Undo `patch`; the names of the submodules that are themselves again."""
    found = [(path, module) for path, module in model.named_modules() if hasattr(type(module), _MARK)]
    for _, module in found:
        module.__class__ = getattr(type(module), _MARK)
    return [path for path, _ in found]


def _shown(module: nn.Module) -> str:
    return " ".join(str(module).split())


def _swap(module: nn.Module, operator: Operator, order: Sequence[str]) -> None:
    """Give the module a class whose ``forward`` calls the operator, for calls such as those that were traced.

    For others, of another rank say, two modules that agreed may differ: they go to the module itself.
    """
    original, training, rules = type(module), module.training, _rules(operator)
    namespace, _, name = operator.name.partition("::")
    call = getattr(getattr(torch.ops, namespace), name)

    def forward(self: Any, *arguments: Any, **named: Any) -> Any:
        if named or self.training != training or not _alike(arguments, rules):
            return original.forward(self, *arguments, **named)
        return call(*arguments, *(_at(self, path) for path in order))

    body = {"forward": forward, _MARK: original, "__module__": original.__module__}
    module.__class__ = type(f"Optimised{original.__name__}", (original,), body)


def _rules(operator: Operator) -> list[tuple[Any, ...]]:
    """For each input its dtype and axes, None for those that are free; or the value of a number."""
    domain = operator.record["kernels"][0]["domain"]
    return [
        (getattr(torch, rule["dtype"]), tuple(None if isinstance(one, str) else one for one in rule["shape"]))
        if rule["kind"] == "tensor"
        else (rule["value"],)
        for rule in domain["arguments"][: operator.count]
    ]


def _alike(arguments: Sequence[Any], rules: Sequence[tuple[Any, ...]]) -> bool:
    """Whether a call is of the traced dtypes and ranks, and equal on the axes that are fixed."""
    return len(arguments) == len(rules) and all(map(_is_alike, arguments, rules))


def _is_alike(value: Any, rule: tuple[Any, ...]) -> bool:
    if len(rule) == 1:
        return type(value) is type(rule[0]) and bool(value == rule[0])
    dtype, axes = rule
    if not isinstance(value, torch.Tensor) or value.dtype != dtype or value.ndim != len(axes):
        return False
    return all(wanted is None or wanted == size for wanted, size in zip(axes, value.shape, strict=True))


def _at(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module
