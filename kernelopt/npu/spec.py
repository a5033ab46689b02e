"""The bundled suite's data (``benchmarks/npueval/tasks.toml``) → `Spec`s and `Vectors`."""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelopt import resources
from kernelopt.errors import TaskError
from kernelopt.npu import C_TYPES, Buffer, Param, Spec, Vectors, numpy_dtype

if TYPE_CHECKING:
    import numpy as np

SEEDS = (0, 1)
"""Seeds of the vectors that every kernel is run on, besides ``edges`` and one of its own (`vectors`)."""
MORE_SEEDS = (3, 4, 5, 6)
"""Further ones where a call gives fewer than `FEW` values, of which one may be right by chance."""
FEW = 8

_DTYPES = {c_type: name for name, c_type in C_TYPES.items()}
_SIGNATURE = re.compile(r"void\s+(\w+)\s*\(([^()]*)\)")
_ARGUMENT = re.compile(r"\s*(const\s+)?(\w+)\s*(\*?)\s*(?:__restrict\s+|restrict\s+)?(\w+)\s*")

_FLOAT_EDGES = (0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.5, -2.5)


@dataclass(frozen=True, slots=True)
class Draw:
    """How the values of one input are made."""

    low: float
    high: float
    draw: str = "uniform"
    """``uniform``, ``normal`` (three deviations reach the ends), ``nonzero``, ``signs`` (-1 or 1), or
    ``copy`` (of the input before it, in every second place)."""
    edges: tuple[float, ...] | None = None
    """Values of the edge vector; None: the dtype's own that lie between `low` and `high`."""
    more: tuple[float, ...] = ()
    """Further values of the edge vector."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kernel of the bundled suite."""

    spec: Spec
    draws: Mapping[str, Draw] = field(default_factory=dict)
    """How inputs are made, by buffer name."""


@lru_cache(maxsize=1)
def bundled() -> Mapping[str, Entry]:
    """The 102 kernels, by name, in the file's order.

    Raises:
        FileNotFoundError: the installation lacks the data.
    """
    text = (folder() / "tasks.toml").read_text(encoding="utf-8")
    return {name: _entry(name, row) for name, row in tomllib.loads(text).items()}


def folder() -> Path:
    """Where the suite's data lie."""
    return resources.folder("benchmarks") / "npueval"


def scalar(kernel: str) -> str:
    """The scalar kernel that speedups are counted against: plain loops, no vectors.

    Raises:
        TaskError: there is none of that name.
    """
    try:
        return (folder() / "scalar" / f"{kernel}.cc").read_text(encoding="utf-8")
    except OSError as error:
        raise TaskError(f"the bundled suite has no scalar kernel {kernel!r}") from error


def vectors(entry: Entry, fresh: str = "") -> tuple[Vectors, ...]:
    """What a kernel is run on: two seeds, the edge vector, and one more of `fresh`.

    `fresh` is meant to be the kernel's hash: nobody can write a kernel that contains the answers for its own
    hash, and the same kernel still gets the same verdict each time.
    """
    few = sum(buffer.elements for buffer in entry.spec.outputs) < FEW
    seeds = (*SEEDS, *MORE_SEEDS) if few else SEEDS
    made = [(f"seed/{seed}", seed, False) for seed in seeds] + [("edges", 2, True)]
    if fresh:
        made.append(("fresh", zlib.crc32(fresh.encode()) + 1000, False))
    return tuple(_vectors(entry, name, seed, edges) for name, seed, edges in made)


def parse_signature(text: str) -> tuple[str, list[tuple[str, str, bool, bool]]]:
    """Function name, and for each argument its name, dtype, whether it is a pointer, whether to const.

    Raises:
        TaskError: the text is no signature of a kernel.
    """
    found = _SIGNATURE.search(text)
    if not found:
        raise TaskError(f"{text!r} is no signature such as void name(int8_t *in, int8_t *out)")
    arguments = []
    for part in found[2].split(","):
        seen = _ARGUMENT.fullmatch(part)
        dtype = _DTYPES.get(seen[2]) if seen else None
        if not seen or dtype is None:
            raise TaskError(f"{found[1]}: the argument {part.strip()!r} has no type that kernels have")
        arguments.append((seen[4], dtype, bool(seen[3]), bool(seen[1])))
    return found[1], arguments


def _entry(name: str, row: Mapping[str, Any]) -> Entry:
    _, arguments = parse_signature(row["signature"])
    pointers = [argument for argument in arguments if argument[2]]
    buffers = tuple(
        Buffer(
            each,
            "output" if place == len(pointers) - 1 else "input",
            tuple(row["shapes"][each]),
            dtype,
            const,
        )
        for place, (each, dtype, _, const) in enumerate(pointers)
    )
    params = tuple(
        Param(each, row["params"][each], dtype) for each, dtype, pointer, _ in arguments if not pointer
    )
    close = row.get("tolerance", 0.01)
    spec = Spec(name, row["text"], row["signature"], buffers, params, close, close, tuple(row["tags"]))
    return Entry(spec, {each: _draw(values) for each, values in row["inputs"].items()})


def _draw(values: Mapping[str, Any]) -> Draw:
    edges = tuple(values["edges"]) if "edges" in values else None
    return Draw(values["low"], values["high"], values["draw"], edges, tuple(values.get("more", ())))


def _vectors(entry: Entry, name: str, seed: int, edges: bool) -> Vectors:
    import numpy as np

    from kernelopt.npu.references import expected

    spec = entry.spec
    random = np.random.default_rng([seed, zlib.crc32(spec.kernel.encode())])
    inputs: dict[str, Any] = {}
    for buffer in spec.inputs:
        inputs[buffer.name] = _random(buffer, entry.draws[buffer.name], random, list(inputs.values()))
    if edges:
        _put_edges(entry, inputs)
    params = {param.name: param.value for param in spec.params}
    return Vectors(name, inputs, params, expected(spec, inputs, params))


def _random(buffer: Buffer, how: Draw, random: np.random.Generator, before: Sequence[Any]) -> Any:
    """An array of `buffer`'s shape and dtype."""
    import numpy as np

    dtype, middle = numpy_dtype(buffer.dtype), (how.low + how.high) / 2
    if how.draw == "signs":
        drawn = random.choice([-1.0, 1.0], buffer.shape)
    elif how.draw in ("normal", "copy") and dtype.kind not in "iu":
        drawn = random.normal(middle, (how.high - how.low) / 6, buffer.shape)
    elif dtype.kind in "iu":
        drawn = random.integers(int(how.low), int(how.high), buffer.shape, endpoint=True)
    else:
        drawn = random.uniform(how.low, how.high, buffer.shape)
    drawn = np.clip(drawn, how.low, how.high)
    if how.draw == "nonzero":
        drawn = np.where(np.abs(drawn) < 1 / 64, 1 / 64, drawn)
    array = drawn.astype(dtype)
    if how.draw == "copy":
        array.reshape(-1)[::2] = before[-1].reshape(-1)[::2]
    return array


def _put_edges(entry: Entry, inputs: Mapping[str, Any]) -> None:
    """Write edge values over the first elements; where there are two inputs, every pair of them meets."""
    stride = 1
    for buffer in entry.spec.inputs:
        flat, values = inputs[buffer.name].reshape(-1), _edges(buffer, entry.draws[buffer.name])
        for place in range(min(flat.size, 2 * len(values) ** len(entry.spec.inputs))):
            flat[place] = values[place // stride % len(values)]
        stride *= len(values)


def _edges(buffer: Buffer, how: Draw) -> list[float]:
    if how.edges is not None:
        return [*how.edges, *how.more]
    own = (-1, 0, 1) if numpy_dtype(buffer.dtype).kind in "iu" else _FLOAT_EDGES
    ends = (how.low, how.high)
    return [*(value for value in own if how.low <= value <= how.high), *ends, *how.more]
