"""Kernels for the NPU that look at a whole vector more than once: place of the largest, softmax, variance."""

from __future__ import annotations

import re

from kernelopt.lms._builtin.aie_read import Read, indented, local_pointers, loop_hints, unrolled

_PLACE = re.compile(r"Index of the (largest|smallest) element")
_SOFTMAX = re.compile(r"Softmax of the whole vector")
_VARIANCE = re.compile(r"Variance of all elements")
_LANES = {"bfloat16": 32, "int32_t": 16}


def match(found: Read) -> bool:
    """Whether the description is of such a kernel."""
    kind = found.inputs[0][0]
    if _PLACE.search(found.text):
        return kind in _LANES and found.elements % _LANES[kind] == 0
    known = _SOFTMAX.search(found.text) or _VARIANCE.search(found.text)
    return bool(known) and kind == "bfloat16" and found.elements % 16 == 0


def scalar(found: Read) -> list[str]:
    """Plain loops."""
    (_, data), (_, out) = found.pointers
    place, count = _PLACE.search(found.text), found.elements
    if place:
        than = ">" if place[1] == "largest" else "<"
        loop = f"for (uint32_t i = 1; i < {count}; ++i)"
        step = f"    if ({data}[i] {than} {data}[best]) best = i;"
        return ["uint32_t best = 0;", loop, step, f"*{out} = best;"]
    loop = f"for (int i = 0; i < {count}; ++i)"
    if _VARIANCE.search(found.text):
        return [
            "float sum = 0, squares = 0;",
            f"{loop} {{",
            f"    const float x = {data}[i];",
            "    sum += x;",
            "    squares += x * x;",
            "}",
            f"const float mean = sum * (1.0f / {count});",
            f"const float variance = squares * (1.0f / {count}) - mean * mean;",
            f"*{out} = (bfloat16)(variance > 0 ? variance : 0);",
        ]
    return [
        f"float largest = {data}[0], sum = 0, powers[{count}];",
        f"{loop} if ((float){data}[i] > largest) largest = {data}[i];",
        f"{loop} {{",
        f"    powers[i] = expf((float){data}[i] - largest);",
        "    sum += powers[i];",
        "}",
        "const float scale = 1.0f / sum;",
        f"{loop} {out}[i] = (bfloat16)(powers[i] * scale);",
    ]


def vector(found: Read, skills: frozenset[str]) -> list[str]:
    """Whole vectors."""
    lines = local_pointers(found, ["p0"], skills)
    if _PLACE.search(found.text):
        return lines + _place(found, skills)
    return lines + (_softmax if _SOFTMAX.search(found.text) else _variance)(found, skills)


def _place(found: Read, skills: frozenset[str]) -> list[str]:
    """The value first, then where it stands: backwards, so that what is found last stands first."""
    place, kind = _PLACE.search(found.text), found.inputs[0][0]
    word = "max" if place and place[1] == "largest" else "min"
    lanes = _LANES[kind] if "wide" in skills else 16
    trips = found.elements // lanes
    load = f"aie::load_v<{lanes}>(p0 + {lanes} * i)"
    return [
        f"auto best = aie::load_v<{lanes}>(p0);",
        *unrolled(skills),
        f"for (int i = 1; i < {trips}; ++i) best = aie::{word}(best, {load});",
        f"const auto wanted = aie::broadcast<{kind}, {lanes}>(aie::reduce_{word}(best));",
        "uint32_t at = 0;",
        *unrolled(skills),
        f"for (int i = {trips - 1}; i >= 0; --i) {{",
        f"    const uint32_t place = aie::eq({load}, wanted).clz();",
        f"    at = place < {lanes} ? {lanes} * i + place : at;",
        "}",
        "*to = at;",
    ]


def _softmax(found: Read, skills: frozenset[str]) -> list[str]:
    """Without pipelining in mind, powers go through the output and come back."""
    trips = found.elements // 16
    kept = "pipeline" in skills and trips <= 8
    lines = [
        "auto best = aie::load_v<16>(p0);",
        *unrolled(skills),
        f"for (int i = 1; i < {trips}; ++i) best = aie::max(best, aie::load_v<16>(p0 + 16 * i));",
        "const lanes top = aie::broadcast<bfloat16, 16>(aie::reduce_max(best));",
        "sums sum = aie::zeros<accfloat, 16>();",
        *([f"lanes powers[{trips}];"] if kept else []),
        *unrolled(skills),
        f"for (int i = 0; i < {trips}; ++i) {{",
        "    const lanes power = exponential(aie::sub(aie::load_v<16>(p0 + 16 * i), top));",
        "    sum = aie::add(sum, sums(power));",
        f"    {'powers[i] = power;' if kept else 'aie::store_v(to + 16 * i, power);'}",
        "}",
        "const bfloat16 total = aie::reduce_add(sum.to_vector<float>());",
        "const lanes scale = inverse(aie::broadcast<bfloat16, 16>(total)).to_vector<bfloat16>();",
        *unrolled(skills),
    ]
    power = "powers[i]" if kept else "aie::load_v<16>(to + 16 * i)"
    result = f"aie::mul({power}, scale).to_vector<bfloat16>()"
    return [*lines, f"for (int i = 0; i < {trips}; ++i) aie::store_v(to + 16 * i, {result});"]


def _variance(found: Read, skills: frozenset[str]) -> list[str]:
    """Products of scalars would be routines; those of vectors are instructions."""
    trips, many = found.elements // 16, "aie::broadcast<bfloat16, 16>"
    round_ = ".to_vector<bfloat16>()"
    return [
        f"const auto one = {many}(1.0f), part = {many}(1.0f / {found.elements});",
        "auto sum = aie::zeros<accfloat, 16>(), squares = sum;",
        *loop_hints(trips, skills),
        f"for (int i = 0; i < {trips}; ++i) {{",
        *indented(["const auto x = aie::load_v<16>(p0);", "sum = aie::mac(sum, x, one);"]),
        *indented(["squares = aie::mac(squares, x, x);", "p0 += 16;"]),
        "}",
        "const bfloat16 first = aie::reduce_add(sum.to_vector<float>());",
        "const bfloat16 second = aie::reduce_add(squares.to_vector<float>());",
        f"const auto mean = aie::mul({many}(first), part){round_};",
        f"const auto variance = aie::msc(aie::mul({many}(second), part), mean, mean){round_};",
        "*to = aie::max(variance, (bfloat16)0.0f).get(0);",
    ]
