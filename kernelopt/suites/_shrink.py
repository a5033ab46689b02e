"""Smaller copies of official tasks: divide the size constants, keep the structural ones.

Official KernelBench inputs reach 17 GB. `shrink` rewrites the module-level constants whose names
say that they are sizes, each divided by `n` but never below the floor of its kind, and leaves the
constants that shape the computation: channels, kernel sizes, strides, heads, groups, classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from kernelopt.errors import ConfigError
from kernelopt.suites._constants import constants, rewrite

BATCH_NAMES = {"batch_size", "batch", "bs", "b"}
"""What official tasks call the number of rows that have nothing to do with each other."""
_KINDS = {
    "batch": BATCH_NAMES,
    "matrix": {"M", "N", "K", "L", "m", "n", "k", "l"},
    "grid": {"i", "j"},
    "steps": {"sequence_length", "seq_length", "seq_len", "length", "input_length"},
    "image": {"image_height", "image_width"},
    "extent": {"height", "width", "depth", "H", "W", "D", "height_in", "width_in", "depth_in"}
    | {"dim", "dim1", "dim2", "dim3", "input_shape"},
    "features": {"in_features", "out_features", "input_size", "hidden_size", "output_size"}
    | {"layer_sizes", "hidden_layer_sizes"},
}
"""Kind of size → the names that official tasks give it."""
_GROUPS = {"groups", "num_groups"}
_BLOCKS = {"block_len", "block_size", "chunk_size"}
_CLASSIFIER = {"num_classes", "output_classes"}

_AXIS = 8
"""An extent of at most this is an axis number or a pooling width, not a size."""
_FLOORS = {"batch": 2, "matrix": 256, "grid": 32, "steps": 128, "image": 32, "features": 1024}
_EXTENT_FLOORS = {1: 1024, 2: 128, 3: 32}
"""Number of extents → floor of each: about 16 000 elements a channel remain in every case."""

_Rule = Callable[[int], int]


def shrink(source: str, n: int) -> str:
    """The module text with its size constants divided by `n`, each down to its floor at most.

    No constant grows. Odd sizes stay odd, and sizes keep their factor of up to 16, so that tails
    and alignment remain what the task is about. A whole classifier network keeps its image extents,
    because its flattening and pooling are written for them.

    Raises:
        ConfigError: `n` is less than 1.
        SyntaxError: the text is not Python.
    """
    if n < 1:
        raise ConfigError(f"--shrink divides sizes and must be 1 or more, not {n}")
    found = {name: value for name, value in constants(source).items() if _is_size(value)}
    smaller = {}
    for name, value in found.items():
        rule = _rule(name, value, n, found)
        if rule and (new := _applied(rule, value)) != value:
            smaller[name] = new
    return rewrite(source, {**_linked(found, smaller), **smaller})


def _is_size(value: Any) -> bool:
    """A positive whole number, or a tuple or list of them."""
    if isinstance(value, tuple | list):
        return bool(value) and all(type(item) is int and item > 0 for item in value)
    return type(value) is int and value > 0


def _applied(rule: _Rule, value: Any) -> Any:
    return rule(value) if isinstance(value, int) else type(value)(rule(item) for item in value)


def _rule(name: str, value: Any, n: int, found: Mapping[str, Any]) -> _Rule | None:
    """How the constant `name` gets smaller, or None when it is structural."""
    kind = next((kind for kind, names in _KINDS.items() if name in names), None)
    shape = isinstance(value, tuple | list) and len(value) > 1 and kind != "features"
    network = kind in ("image", "extent") and bool(_CLASSIFIER & found.keys())
    if kind is None or shape or network:
        return None
    floor, multiple = _FLOORS.get(kind, 0), 1
    if kind == "extent":
        floor = _extent_floor(found)
    elif kind == "steps":
        multiple = _together(found, _BLOCKS)
    elif kind == "features":
        multiple = _together(found, _GROUPS)
        floor = max(floor, 8 * multiple)
    return lambda size: divided(size, n, floor, multiple)


def _together(found: Mapping[str, Any], names: set[str]) -> int:
    """Least common multiple of the constants that have one of `names`."""
    return math.lcm(*(value for name, value in found.items() if name in names and isinstance(value, int)))


def _extent_floor(found: Mapping[str, Any]) -> int:
    extents = [name for name, value in found.items() if name in _KINDS["extent"] and _largest(value) > _AXIS]
    return _EXTENT_FLOORS.get(len(extents), 32)


def _largest(value: Any) -> int:
    return int(value) if isinstance(value, int) else max(value)


def divided(size: int, n: int, floor: int, multiple: int = 1) -> int:
    """`size` divided by `n`, not below `floor` and never above `size`.

    The result is a multiple of `multiple` where `size` is, keeps the factor of up to 16 that `size`
    has (no more than `floor`), and is odd where `size` is odd.
    """
    if size <= floor or n <= 1:
        return size
    step = math.gcd(size, min(16, floor))
    if size % multiple == 0:
        step = math.lcm(step, multiple)
    steps = -(-max(floor, size // n) // step)
    return min(size, (steps | size % 2) * step)


def _linked(found: Mapping[str, Any], smaller: Mapping[str, Any]) -> dict[str, Any]:
    """Literal ``*_shape`` tuples that repeat a shrunk size, for example ``bias_shape = (8192,)``.

    An element follows only when every constant of that value was shrunk to the same new value:
    a channel count that happens to equal a height stays, and nothing follows a batch size.
    """
    new: dict[int, set[int]] = {}
    for name, value in found.items():
        if isinstance(value, int):
            new.setdefault(value, set()).add(value if name in _KINDS["batch"] else smaller.get(name, value))
    changed = {}
    for name, value in found.items():
        if name.endswith("_shape") and name not in smaller and isinstance(value, tuple):
            items = tuple(min(new[item]) if len(new.get(item, ())) == 1 else item for item in value)
            if items != value:
                changed[name] = items
    return changed
