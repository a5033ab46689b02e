"""One statement → the instructions it becomes on the chip, by the tables of a machine description.

A `Cost` is a list of steps, one after the other; the instructions of one step are independent.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernelopt.npu.cycles.gimple import arguments
from kernelopt.npu.cycles.machine import Machine

LANE_BITS = {
    **{
        "int4": 4,
        "uint4": 4,
        "int8": 8,
        "uint8": 8,
        "signed char": 8,
        "unsigned char": 8,
        "char": 8,
        "bool": 8,
    },
    **{"int16": 16, "uint16": 16, "bfloat16": 16, "short int": 16, "short": 16, "short unsigned int": 16},
    **{"int32": 32, "uint32": 32, "float": 32, "int": 32, "unsigned int": 32, "accfloat": 32, "acc32": 32},
    **{"acc64": 64, "cacc64": 64, "long int": 64, "int64": 64},
}
_FAMILY = {
    **{"signed char": "int8", "unsigned char": "int8", "char": "int8", "uint8": "int8", "bool": "int8"},
    **{"short int": "int16", "short": "int16", "short unsigned int": "int16", "uint16": "int16"},
    **{"int": "int32", "unsigned int": "int32", "uint32": "int32", "long int": "int64"},
}


@dataclass(slots=True)
class Cost:
    """What one operation needs."""

    steps: list[tuple[str, int]] = field(default_factory=list)
    """(Unit, how many at once), in order."""
    library: str = ""
    """A routine that is called; a key of the machine's ``library``."""
    accumulates: bool = False
    """Its first operand is an accumulator that is read late."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A name of the dump taken apart: ``aieop::mac<accfloat, bfloat16, bfloat16, 16>``."""

    space: str
    name: str
    types: tuple[str, ...]
    sizes: tuple[int, ...]


def family(name: str) -> str:
    """``int8`` for ``signed char`` and ``uint8_t``, and so on."""
    plain = re.sub(r"_t\b", "", name.rsplit("::", maxsplit=1)[-1].strip())
    return _FAMILY.get(plain, plain)


@functools.lru_cache(maxsize=4096)
def call(name: str) -> Call:
    """Take a function's name apart."""
    plain, bracket, inner = name.partition("<")
    space, _, short = plain.strip().rpartition("::")
    parts = arguments(inner.rstrip()[:-1]) if bracket else []
    sizes = tuple(int(part.rstrip("uUlL")) for part in parts if re.fullmatch(r"\d+[uUlL]*", part))
    types = tuple(family(part) for part in parts if not re.fullmatch(r"\d+[uUlL]*", part))
    return Call(space, short.strip(), types, sizes)


def vector_cost(machine: Machine, found: Call) -> Cost:
    """An operation of the AIE API (`aieop`)."""
    table: Mapping[str, Mapping[str, Any]] = machine.data["operations"]
    entry = _entry(table, found)
    if entry is None:
        return Cost([("vector_move", 1)], note=f"{found.name} is not described: one move is assumed")
    if entry.get("free"):
        return Cost()
    if entry.get("product"):
        return _product(machine, found)
    if entry.get("matrix"):
        return _matrix(machine, found)
    if "fold" in entry:
        return Cost([*_plain(entry.get("before", ()), 1), *_fold(entry, found), *_plain(entry["then"], 1)])
    return Cost(_plain(entry["steps"], _times(entry, found)))


def _entry(table: Mapping[str, Mapping[str, Any]], found: Call) -> Mapping[str, Any] | None:
    """The most specific row: ``to_vector:accfloat:float``, ``to_vector:accfloat``, ``add:acc``, ``add``."""
    accumulator = next((t for t in found.types if t.startswith("acc")), "")
    other = next((t for t in found.types if not t.startswith("acc")), "")
    first = found.types[0] if found.types else ""
    keys = [f"{found.name}:{accumulator}:{other}", f"{found.name}:{accumulator}", f"{found.name}:{first}"]
    if accumulator:
        keys.append(f"{found.name}:acc")
    return next((table[key] for key in (*keys, found.name) if key in table), None)


def _times(entry: Mapping[str, Any], found: Call) -> int:
    lanes = max(found.sizes, default=1)
    if "per_lanes" in entry:
        return max(1, math.ceil(lanes / int(entry["per_lanes"])))
    if "per_bits" in entry:
        kinds = [t for t in found.types if not t.startswith("acc")] or list(found.types)
        if found.name == "from_vector":
            kinds = [t for t in found.types if t.startswith("acc")] or kinds
        bits = lanes * max((LANE_BITS.get(kind, 32) for kind in kinds[:1]), default=32)
        return max(1, math.ceil(bits / int(entry["per_bits"])))
    return 1


def _plain(steps: Sequence[Sequence[Any]], times: int) -> list[tuple[str, int]]:
    return [(unit, int(count) * times) for unit, count in steps]


def _fold(entry: Mapping[str, Any], found: Call) -> list[tuple[str, int]]:
    rounds = max(1, math.ceil(math.log2(max(found.sizes, default=2))))
    return [step for _ in range(rounds) for step in _plain(entry["fold"], 1)]


def _factors(found: Call) -> tuple[str, str]:
    kinds = [t for t in found.types if not t.startswith("acc")] or ["int32"]
    return kinds[0], kinds[1] if len(kinds) > 1 else kinds[0]


def _product(machine: Machine, found: Call) -> Cost:
    left, right = _factors(found)
    accumulates = found.name in ("mac", "msc", "sliding_mac")
    lanes = found.sizes[-1] if found.name in ("mul", "negmul", "mac", "msc") else math.prod(found.sizes[:2])
    if "float" in (left, right):
        per = machine.data["element_macs"]["bfloat16*bfloat16"]
        emulated = machine.data["float_products"]
        times = math.ceil(lanes / per)
        steps = [("float_to_bf16", emulated["splits"] * times)]
        return Cost([*steps, *[("mac_float", times)] * emulated["products"]], accumulates=False)
    table = "element_macs" if not found.name.startswith("sliding") else "dense_macs"
    rate = machine.data[table].get(f"{left}*{right}", 16)
    unit = "mac_float" if "bfloat16" in (left, right) else "mac_int"
    steps = [(unit, max(1, math.ceil(lanes / rate)))]
    moves = machine.data["bf16_element_moves"]["moves"] if unit == "mac_float" else 0
    if moves:
        steps.insert(0, ("vector_move", moves * steps[0][1]))
    return Cost(steps, accumulates=accumulates)


def _matrix(machine: Machine, found: Call) -> Cost:
    left, right = _factors(found)
    rate = machine.data["dense_macs"].get(f"{left}*{right}", 16)
    unit = "mac_float" if "bfloat16" in (left, right) or "float" in (left, right) else "mac_int"
    if "float" in (left, right):
        rate = max(1, rate // 9)
    macs = math.prod(found.sizes[:3])
    return Cost([(unit, max(1, math.ceil(macs / rate)))], accumulates=found.name == "mmul_mac")


def scalar_cost(machine: Machine, found: Call) -> Cost:
    """A scalar operation that the header names (`aiesc`): bfloat16 arithmetic, elementary functions."""
    entry = machine.data["scalar_operations"].get(found.name)
    if entry is None:
        return Cost(library="unknown", note=f"{found.name} is not described: a call is assumed")
    if "library" in entry:
        return Cost(library=entry["library"], note=f"scalar {found.name} is a software routine")
    return Cost(_plain(entry["steps"], 1))


_INTEGER = {
    **dict.fromkeys(
        ("plus_expr", "minus_expr", "pointer_plus_expr", "pointer_diff_expr", "negate_expr"), ("alu", 1)
    ),
    **dict.fromkeys(
        ("bit_and_expr", "bit_ior_expr", "bit_xor_expr", "bit_not_expr", "abs_expr", "absu_expr"), ("alu", 1)
    ),
    **dict.fromkeys(("lshift_expr", "rshift_expr", "lrotate_expr", "rrotate_expr", "cond_expr"), ("alu", 1)),
    **dict.fromkeys(("eq_expr", "ne_expr", "lt_expr", "le_expr", "gt_expr", "ge_expr"), ("alu", 1)),
    **dict.fromkeys(("truth_and_expr", "truth_or_expr", "truth_xor_expr", "truth_not_expr"), ("alu", 1)),
    **dict.fromkeys(("min_expr", "max_expr"), ("alu", 2)),
    "mult_expr": ("mul", 1),
    "widen_mult_expr": ("mul", 1),
}
_FLOAT = {
    **{
        "plus_expr": "float_add",
        "minus_expr": "float_sub",
        "mult_expr": "float_mul",
        "rdiv_expr": "float_div",
    },
    **{"float_expr": "int_to_float", "fix_trunc_expr": "float_to_int"},
    **dict.fromkeys(("eq_expr", "ne_expr", "lt_expr", "le_expr", "gt_expr", "ge_expr"), "float_compare"),
    **dict.fromkeys(
        ("unordered_expr", "ordered_expr", "unlt_expr", "unle_expr", "ungt_expr"), "float_compare"
    ),
    **dict.fromkeys(("unge_expr", "uneq_expr", "ltgt_expr"), "float_compare"),
    **dict.fromkeys(("min_expr", "max_expr"), "float_compare"),
}


def plain_cost(op: str, floating: bool, double: bool, wide: bool) -> Cost:
    """An operation on scalars of C++. `wide`: on 64-bit integers, which take two registers."""
    if op in ("trunc_div_expr", "exact_div_expr", "floor_div_expr"):
        return Cost(library="int_div", note="an integer division is a software routine")
    if op in ("trunc_mod_expr", "floor_mod_expr"):
        return Cost(library="int_mod", note="an integer remainder is a software routine")
    if double and op in _FLOAT:
        return Cost(library="double", note="double is computed in software")
    if op in ("float_expr", "fix_trunc_expr") or (floating and op in _FLOAT):
        return Cost(library=_FLOAT[op], note="float is computed in software: the core has no scalar FPU")
    if op in _INTEGER:
        unit, count = _INTEGER[op]
        return Cost([(unit, 1)] * count * (2 if wide else 1))
    return Cost()
