"""Swaps submodules of a model that compute what an operator computes, and undoes it.

A submodule matches when, traced on the measured and on other shapes, it performs the same ATen
operations with the same constants on its inputs and its state as the operator's reference: class and
configuration both show in that. Its class is then replaced by a subclass with another ``forward``;
parameters, hooks, ``state_dict`` and ``isinstance`` stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

from kernelopt.export.runtime.operators import Operator

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
    programs = {
        name: _programs(operator.reference.module(), operator) for name, operator in operators.items()
    }
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    modules = {path: one for path, one in model.named_modules() if not hasattr(type(one), _MARK)}
    for path, module in modules.items():
        for name, operator in operators.items():
            order = _fits(module, operator, programs[name])
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


# --- What a module computes, as text ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Program:
    text: str
    state: tuple[str, ...]
    """Parameters and buffers in the order in which the program meets them."""
    unused: tuple[str, ...]


def _programs(module: nn.Module, operator: Operator) -> list[_Program | None]:
    """What a module does with the measured sizes, and with others where there are any."""
    return [_program(module, examples) for examples in _examples(operator)]


def _fits(module: nn.Module, operator: Operator, wanted: Sequence[_Program | None]) -> tuple[str, ...] | None:
    """Paths of the module's state in the operator's order; None when it computes something else."""
    own = _state(module)
    shapes = sorted((tuple(one.shape), str(one.dtype)) for one in own.values())
    expected = sorted((tuple(rule["shape"]), f"torch.{rule['dtype']}") for rule in operator.state_rules)
    if shapes != expected:
        return None
    orders = set()
    for program, examples in zip(wanted, _examples(operator), strict=True):
        found = _program(module, examples)
        if program is None or found is None or found.text != program.text or found.unused or program.unused:
            return None
        names = dict(zip(program.state, found.state, strict=True))
        orders.add(tuple(names[path] for path in operator.paths))
    return orders.pop() if len(orders) == 1 else None


def _state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _examples(operator: Operator) -> list[list[Any]]:
    """The measured arguments, as (shape, dtype) or numbers; then those of another size that was tested."""
    rules, domain = operator.input_rules, operator.record["kernels"][0]["domain"]
    measured = [tuple(rule["example"]) if rule["kind"] == "tensor" else () for rule in rules]
    found = [measured]
    free = sorted(domain["sizes"])
    for sizes in domain["tested"]:
        named = dict(zip(free, sizes, strict=True))
        shapes = [
            tuple(named.get(one, one) for one in rule.get("shape", ()))
            for rule in domain["arguments"][: operator.count]
        ]
        if shapes != measured and 1 not in named.values():
            found.append(shapes)
            break
    return [
        [
            (shape, getattr(torch, rule["dtype"])) if rule["kind"] == "tensor" else rule["value"]
            for shape, rule in zip(shapes, rules, strict=True)
        ]
        for shapes in found
    ]


def _program(module: nn.Module, examples: Sequence[Any]) -> _Program | None:
    """ATen operations of one call, names made canonical; None where it cannot be called so."""
    state = _state(module)
    names = list(state)

    def run(values: list[torch.Tensor], tensors: list[torch.Tensor]) -> Any:
        given = iter(tensors)
        inputs = [next(given) if isinstance(one, tuple) else one for one in examples]
        with torch.no_grad():
            return torch.func.functional_call(module, dict(zip(names, values, strict=True)), tuple(inputs))

    try:
        mode = FakeTensorMode()
        values = [mode.from_tensor(one.detach()) for one in state.values()]
        with mode:
            tensors = [torch.empty(one[0], dtype=one[1]) for one in examples if isinstance(one, tuple)]
            graph = make_fx(run, tracing_mode="real")(values, tensors).graph
    except Exception:  # a module of the user's that takes other arguments, say
        return None
    return _text(graph, names)


def _text(graph: torch.fx.Graph, names: Sequence[str]) -> _Program:
    """Nodes numbered in their order; state numbered as it is met."""
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    paths: dict[Any, str] = dict(zip(placeholders, names, strict=False))
    labels: dict[Any, str] = {node: f"input{index}" for index, node in enumerate(placeholders[len(names) :])}
    met: list[str] = []
    lines: list[str] = []

    def label(node: Any) -> str:
        if node not in labels:
            met.append(paths[node])
            labels[node] = f"state{len(met) - 1}"
        return labels[node]

    for node in graph.nodes:
        if node.op in ("placeholder",) or (node.op == "call_function" and _is_detach(node, labels, label)):
            continue
        arguments = torch.fx.node.map_arg((node.args, node.kwargs), lambda one: _Label(label(one)))
        lines.append(f"{node.target} {_plain(arguments, node)}")
        labels[node] = f"value{len(lines)}"
    unused = tuple(path for node, path in paths.items() if node not in labels)
    return _Program("\n".join(lines), tuple(met), unused)


class _Label(str):
    """The name of a value, printed without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _is_detach(node: Any, labels: dict[Any, str], label: Callable[[Any], str]) -> bool:
    """Detaching computes nothing: the value keeps its name."""
    if "aten.detach" not in str(node.target):
        return False
    labels[node] = label(node.args[0])
    return True


_LAST_AXES = ("_softmax", "_log_softmax", "sum.dim", "mean.dim", "cumsum", "amax", "amin", "var.correction")


def _plain(arguments: Any, node: Any) -> str:
    """Arguments as text, negative axes of well-known operations counted from the front."""
    positional, named = arguments
    if any(f"aten.{name}" in str(node.target) for name in _LAST_AXES) and len(positional) > 1:
        rank = node.args[0].meta["val"].ndim if "val" in node.args[0].meta else 0
        positional = (positional[0], _from_front(positional[1], rank), *positional[2:])
    return f"{positional!r} {dict(named)!r}"


def _from_front(axes: Any, rank: int) -> Any:
    if isinstance(axes, list | tuple):
        return [_from_front(axis, rank) for axis in axes]
    return axes + rank if isinstance(axes, int) and axes < 0 else axes
