"""What a module computes, as text: its ATen operations, traced without data, names made canonical."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

from kernelopt.export.runtime.operators import Operator


@dataclass(frozen=True, slots=True)
class Program:
    """What one call does."""

    text: str
    state: tuple[str, ...]
    """Parameters and buffers in the order in which the program meets them."""
    unused: tuple[str, ...]


def programs(module: nn.Module, operator: Operator) -> list[Program | None]:
    """What a module does with the measured sizes, and with others where there are any."""
    return [_program(module, examples) for examples in _examples(operator)]


def fits(module: nn.Module, operator: Operator, wanted: Sequence[Program | None]) -> tuple[str, ...] | None:
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


def _program(module: nn.Module, examples: Sequence[Any]) -> Program | None:
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
        with mode:  # on the CPU, wherever the module is: so that devices do not show in the text
            values = [_blank(one) for one in state.values()]
            tensors = [torch.empty(one[0], dtype=one[1]) for one in examples if isinstance(one, tuple)]
            graph = make_fx(run, tracing_mode="real")(values, tensors).graph
    except Exception:  # a module of the user's that takes other arguments, say
        return None
    return _text(graph, names)


def _blank(like: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(like.size(), like.stride(), dtype=like.dtype, device="cpu")


def _text(graph: torch.fx.Graph, names: Sequence[str]) -> Program:
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
    return Program("\n".join(lines), tuple(met), unused)


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
