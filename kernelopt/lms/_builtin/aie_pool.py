"""Pooling for the NPU: even and odd neighbours come apart with filters, whole vectors are combined."""

from __future__ import annotations

import re

from kernelopt.lms._builtin.aie_read import Read, indented, local_pointers, loop_hints

_IMAGE = re.compile(r"(Max|Average) pooling of a (\d+)x\2 image.*2x2 square")
_LINE = re.compile(r"(Mean|Largest element) of each (?:window of window_size|group of (four)) neighbours")
_BYTES = {"bfloat16": 2, "int8_t": 1, "uint8_t": 1}


def match(found: Read) -> bool:
    """Whether the description is of a pooling that can be written here."""
    kind = found.inputs[0][0]
    if kind not in _BYTES or not (_IMAGE.search(found.text) or _LINE.search(found.text)):
        return False
    if _mean(found) and kind != "bfloat16":
        return False
    side = _side(found)
    return side in (0, 16 if _BYTES[kind] == 1 else 32) and (side > 0 or _window(found) in (2, 4))


def scalar(found: Read) -> list[str]:
    """Plain loops."""
    (kind, data), (_, out) = found.pointers
    side, window = _side(found), _window(found)
    if side:
        places = [f"{data}[{2 * side} * r + 2 * c + {at}]" for at in (0, 1, side, side + 1)]
        half = side // 2
        return [
            f"for (int r = 0; r < {half}; ++r)",
            f"    for (int c = 0; c < {half}; ++c) {{",
            *indented(indented(_value(found, kind, places, f"{out}[{half} * r + c]"))),
            "    }",
        ]
    places = [f"{data}[{window} * i + {at}]" for at in range(window)]
    lines = [f"for (int i = 0; i < {found.size(-1)}; ++i) {{"]
    lines += [*indented(_value(found, kind, places, f"{out}[i]")), "}"]
    return [*_other_windows(found), *lines]


def vector(found: Read, skills: frozenset[str]) -> list[str]:
    """A vector of results at a time."""
    kind, _ = found.inputs[0]
    body, read, written = _step(found, skills)
    trips = found.elements // read
    lanes = 16 if kind == "bfloat16" else written
    return [
        *_other_windows(found),
        *local_pointers(found, ["p0"], skills),
        *([f"const auto zero = aie::zeros<{kind}, {lanes}>();"] if _relu(found) else []),
        *([f"const auto part = aie::broadcast<{kind}, {lanes}>({_part(found)}f);"] if _mean(found) else []),
        *loop_hints(trips, skills),
        f"for (int i = 0; i < {trips}; ++i) {{",
        *indented(body),
        f"    aie::store_v(to, {'aie::max(y, zero)' if _relu(found) else 'y'});",
        f"    p0 += {read};",
        f"    to += {written};",
        "}",
    ]


def _step(found: Read, skills: frozenset[str]) -> tuple[list[str], int, int]:
    """The lines that make ``y``, elements that they read, and results that they give."""
    kind, side = found.inputs[0][0], _side(found)
    full = 64 // _BYTES[kind]
    load = f"const auto a = aie::load_v<{full}>(p0);"
    second = f"const auto b = aie::load_v<{full}>(p0 + {full});"
    even, odd = "aie::filter_even({0})", "aie::filter_odd({0})"
    if side and side < full:  # several rows stand in one vector
        rows = f"aie::max(aie::filter_even(a, {side}), aie::filter_odd(a, {side}))"
        if "wide" not in skills:
            return [load, f"const auto rows = {rows};", _y(["rows"])], full, full // 4
        both = rows.replace("(a, ", "(b, ")
        return (
            [load, second, f"const auto rows = aie::concat({rows}, {both});", _y(["rows"])],
            2 * full,
            full // 2,
        )
    if not side and _window(found) == 2:
        made = _sum([even.format("a"), odd.format("a")]) if _mean(found) else [_y(["a"])]
        return [load, *made], full, full // 2
    if not side:  # four neighbours come apart in two steps
        apart = [
            f"const auto {half} = aie::concat(aie::filter_{half}(a), aie::filter_{half}(b));"
            for half in ("even", "odd")
        ]
        terms = [part.format(half) for half in ("even", "odd") for part in (even, odd)]
        return [load, second, *apart, *_sum(terms)], 2 * full, full // 2
    if _mean(found):
        return (
            [load, second, *_sum([part.format(row) for row in "ab" for part in (even, odd)])],
            2 * full,
            full // 2,
        )
    return [load, second, "const auto rows = aie::max(a, b);", _y(["rows"])], 2 * full, full // 2


def _y(names: list[str]) -> str:
    return f"const auto y = aie::max(aie::filter_even({names[0]}), aie::filter_odd({names[0]}));"


def _sum(terms: list[str]) -> list[str]:
    lines = [f"auto sum = aie::mul({terms[0]}, part);"]
    lines += [f"sum = aie::mac(sum, {term}, part);" for term in terms[1:]]
    return [*lines, "const auto y = sum.to_vector<bfloat16>();"]


def _value(found: Read, kind: str, places: list[str], out: str) -> list[str]:
    wide = "float" if kind == "bfloat16" else "int32_t"
    if _mean(found):
        value = " + ".join(f"(float){place}" for place in places)
        lines = [f"float y = ({value}) * {_part(found)}f;"]
    else:
        lines = [f"{wide} y = {places[0]};"]
        lines += [f"if (({wide}){place} > y) y = {place};" for place in places[1:]]
    return [*lines, *(["if (y < 0) y = 0;"] if _relu(found) else []), f"{out} = ({kind})y;"]


def _other_windows(found: Read) -> list[str]:
    """Windows that come at run time may be others than those that are used."""
    if "window_size" not in found.params:
        return []
    (kind, data), (_, out) = found.pointers
    wide = "float" if kind == "bfloat16" else "int32_t"
    each = f"{data}[at + w]"
    update = f"y += (float){each};" if _mean(found) else f"if (({wide}){each} > y) y = {each};"
    first = "0.0f" if _mean(found) else f"{data}[at]"
    scale = " / (float)window_size" if _mean(found) else ""
    return [
        "if (window_size != 2 || stride != 2) {",
        f"    for (uint32_t i = 0, at = 0; at + window_size <= {found.elements}; ++i, at += stride) {{",
        f"        {wide} y = {first};",
        f"        for (uint32_t w = 0; w < window_size; ++w) {{ {update} }}",
        f"        {out}[i] = ({kind})(y{scale});",
        "    }",
        "    return;",
        "}",
    ]


def _side(found: Read) -> int:
    image = _IMAGE.search(found.text)
    return int(image[2]) if image else 0


def _window(found: Read) -> int:
    line = _LINE.search(found.text)
    if not line:
        return 0
    same = found.params.get("stride") == found.params.get("window_size")
    return 4 if line[2] else int(found.params.get("window_size", 0)) if same else 0


def _part(found: Read) -> float:
    return 0.25 if _side(found) else 1.0 / _window(found)


def _mean(found: Read) -> bool:
    return bool(re.search(r"\b(Average|Mean)\b", found.text))


def _relu(found: Read) -> bool:
    return bool(re.search(r"negative means become 0|or 0 where all four are negative", found.text))
