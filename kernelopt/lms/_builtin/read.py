"""Task text → a graph: run the module without memory, record its ATen operators, lower each."""

from __future__ import annotations

import functools
import operator
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import Node, UnknownOperator, Value
from kernelopt.lms._builtin.rules import LOWER, Lowering

_LOCK = threading.Lock()
_TYPES = {torch.float32: "float", torch.int64: "int64_t", torch.int32: "int32_t", torch.bool: "bool"}


@dataclass(frozen=True, slots=True)
class Program:
    """A task's forward pass."""

    inputs: tuple[str, ...]
    """Names of the forward function's arguments in the answer."""
    outputs: tuple[Value, ...]
    single: bool
    """Whether a bare tensor is returned rather than a tuple."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The recorded operators of one forward pass."""

    nodes: tuple[Any, ...]
    names: tuple[str, ...]
    """One for each placeholder: an argument, or an attribute path that starts with `self.`."""
    inputs: tuple[str, ...]
    single: bool


def read(source: str, lowering: Lowering) -> Program:
    """The graph of a task module.

    Raises:
        UnknownOperator: the task cannot be traced or uses an operator that is not known.
    """
    with _LOCK:
        trace = _trace(source)
    env: dict[Any, Any] = {}
    names = iter(trace.names)
    for node in trace.nodes:
        if node.op == "output":
            return Program(trace.inputs, tuple(_outputs(node.args[0], env)), trace.single)
        env[node] = (
            _placeholder(node, next(names)) if node.op == "placeholder" else _call(node, env, lowering)
        )
    raise UnknownOperator("a task without an output")


@functools.lru_cache(maxsize=256)
def _trace(source: str) -> Trace:
    try:
        return _record(source, "meta")
    except (RuntimeError, NotImplementedError, TypeError, ValueError, IndexError):
        pass  # something needs values: the sizes are bearable, so run it for real
    try:
        return _record(source, "cpu")
    except (RuntimeError, NotImplementedError, TypeError, ValueError, IndexError) as error:
        raise UnknownOperator(f"a forward pass that cannot be traced ({str(error)[:200]})") from error


def _record(source: str, device: str) -> Trace:
    space: dict[str, Any] = {"__name__": "task"}
    exec(compile(source, "<task>", "exec"), space)  # noqa: S102 - task modules are trusted
    with torch.no_grad(), torch.device(device):
        model = space["Model"](*space["get_init_inputs"]())
        inputs = tuple(space["get_inputs"]())
        state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        single = True

        def forward(values: list[Any], arguments: tuple[Any, ...]) -> Any:
            nonlocal single
            bound = dict(zip(state, values, strict=True))
            out = torch.func.functional_call(model, bound, arguments)
            single = isinstance(out, torch.Tensor)
            return out

        traced = make_fx(forward)(list(state.values()), inputs)
    return Trace(tuple(traced.graph.nodes), *_names(state, inputs), single)


def _names(state: dict[str, Any], inputs: tuple[Any, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of all placeholders, and of the forward function's arguments."""
    arguments = tuple(f"x{i}" for i in range(len(inputs)))
    return (*(_path(name) for name in state), *arguments), arguments


def _path(name: str) -> str:
    """`layers.0.weight` → `self.layers[0].weight`."""
    return "self" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in name.split("."))


def _placeholder(node: Any, name: str) -> Any:
    tensor = _tensor(node)
    if not hasattr(tensor, "shape"):
        return name  # a number; operators that use it have it as a constant
    if tensor.dtype not in _TYPES:
        return name
    return g.of(Node("input", tuple(tensor.shape), (), name, dtype=_TYPES[tensor.dtype]))


def _tensor(node: Any) -> Any:
    """What the trace knows of a node's result: its shape and dtype."""
    return node.meta.get("val", node.meta.get("tensor_meta"))


def _call(node: Any, env: dict[Any, Any], lowering: Lowering) -> Any:
    if node.op != "call_function":
        raise UnknownOperator(f"{node.op} {node.target}")
    args = torch.fx.node.map_arg(node.args, env.__getitem__)
    kwargs = torch.fx.node.map_arg(node.kwargs, env.__getitem__)
    if node.target is operator.getitem:
        return args[0][args[1]]
    name = str(node.target).removeprefix("aten.").partition(".")[0]
    rule: Callable[..., Any] | None = LOWER.get(name.rstrip("_"), LOWER.get(name))
    if rule is None:
        raise UnknownOperator(str(node.target))
    if any(isinstance(arg, str) and arg.startswith(("x", "self")) for arg in args):
        raise UnknownOperator(f"{node.target} on this type of input")
    try:
        result = rule(lowering, *args, **kwargs)
    except (TypeError, AttributeError) as error:  # an argument that the rule does not foresee
        raise UnknownOperator(f"{node.target} with these arguments") from error
    if name.endswith("_") and not name.startswith("_"):
        env[node.args[0]] = result  # an operator in place: whoever reads its argument later sees the result
    return result


def _outputs(result: Any, env: dict[Any, Any]) -> Iterator[Value]:
    for node in result if isinstance(result, (tuple, list)) else [result]:
        value = env.get(node)
        if not isinstance(value, Value):
            raise UnknownOperator("a result that is no tensor")
        if _TYPES.get(_tensor(node).dtype) != value.node.dtype:
            raise UnknownOperator(f"a result of type {_tensor(node).dtype}")
        if not value.whole or value.node.kind in ("input", "iota"):
            value = g.map_of("copy", value.shape, value, dtype=value.node.dtype)
        yield value
