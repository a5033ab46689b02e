"""Convolutions for the NPU, in one dimension and in two: a product with each tap, neighbours by shuffles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kernelopt.lms._builtin.aie_read import Read, indented, local_pointers, loop_hints, unrolled

_LINE = re.compile(r"One-dimensional convolution with a kernel of (\d+) taps(?: and stride (\d+))?")
_IMAGE = re.compile(r"Convolution of a (\d+)x\1 image with a (\d+)x\2 kernel(?:.*?and stride (\d+))?")
_ACCUMULATORS = {"bfloat16": "accfloat", "int16_t": "acc64", "int32_t": "acc64"}
_LANES = 16


@dataclass(frozen=True, slots=True)
class _Conv:
    """A convolution as the description has it."""

    taps: int
    """In each direction."""
    stride: int
    """The one that is used."""
    side: int
    """Of the image; 0 in one dimension."""
    kind: str
    bias: bool
    relu: bool
    limited: bool
    rounded: bool
    """Every product and every sum, not the result alone."""


def match(found: Read) -> bool:
    """Whether the description is of a convolution that can be written here."""
    return _of(found) is not None


def scalar(found: Read) -> list[str]:
    """Plain loops."""
    conv = _known(found)
    (_, data), (_, kernel), (_, out) = found.pointers
    stride = "stride" if "stride" in found.params else str(conv.stride)
    if not conv.side:
        inner = [f"for (int t = 0; t < {conv.taps}; ++t) {{"]
        inner += [f"    {_step(conv, f'{data}[i * {stride} + t]', f'{kernel}[t]')}", "}"]
        size = f"({found.size(0)} - {conv.taps}) / {stride} + 1"
        return [f"for (int i = 0; i < (int)({size}); ++i) {{", *indented(_sum(conv, inner, f"{out}[i]")), "}"]
    here = f"{data}[(r * {stride} + y) * {conv.side} + c * {stride} + x]"
    inner = [f"for (int y = 0; y < {conv.taps}; ++y)", f"    for (int x = 0; x < {conv.taps}; ++x) {{"]
    inner += [f"        {_step(conv, here, f'{kernel}[{conv.taps} * y + x]')}", "    }"]
    return [
        f"const int side = ({conv.side} - {conv.taps}) / {stride} + 1;",
        "for (int r = 0; r < side; ++r)",
        "    for (int c = 0; c < side; ++c) {",
        *indented(indented(_sum(conv, inner, f"{out}[side * r + c]"))),
        "    }",
    ]


def vector(found: Read, skills: frozenset[str]) -> list[str]:
    """Sixteen results at a time."""
    conv = _known(found)
    lines = local_pointers(found, ["p0"], skills)
    if "stride" in found.params:
        lines = [f"if (stride != {conv.stride}) {{", *indented([*scalar(found), "return;"]), "}", *lines]
    if conv.limited:
        lines.append("aie::set_saturation(aie::saturation_mode::saturate);")
    lines += _constants(found, conv)
    return lines + (_image(conv, skills) if conv.side else _line(found, conv, skills))


def _of(found: Read) -> _Conv | None:
    line, image = _LINE.search(found.text), _IMAGE.search(found.text)
    head = line or image
    if head is None or len(found.pointers) != 3 or found.inputs[0][0] not in _ACCUMULATORS:
        return None
    taps, said = (int(head[1]), head[2]) if line else (int(head[2]), head[3])
    stride = int(said or found.params.get("stride", 1))
    side = 0 if line else int(head[1])
    if stride not in (1, 2) or taps > 8 or side not in (0, _LANES) or (side and stride == 2 and taps % 2):
        return None
    return _Conv(
        taps,
        stride,
        side,
        found.inputs[0][0],
        "bias" in found.params,
        "negative results become 0" in found.text,
        "limited to the range" in found.text,
        "partial sum is rounded" in found.text,
    )


def _known(found: Read) -> _Conv:
    conv = _of(found)
    assert conv is not None
    return conv


# --- Plain loops -------------------------------------------------------------------------------------


def _step(conv: _Conv, data: str, tap: str) -> str:
    if conv.rounded:
        return f"sum = sum + (bfloat16)((float){data} * (float){tap});"
    kind = "float" if conv.kind == "bfloat16" else "int32_t"
    return f"sum += ({kind}){data} * ({kind}){tap};"


def _sum(conv: _Conv, inner: Sequence[str], out: str) -> list[str]:
    kind = "bfloat16" if conv.rounded else "float" if conv.kind == "bfloat16" else "int32_t"
    early = conv.bias and not conv.rounded
    lines = [f"{kind} sum = {'bias' if early else f'({kind})0'};", *inner]
    if conv.bias and conv.rounded:
        lines.append("sum = sum + bias;")
    if conv.relu:
        lines.append(f"sum = sum > ({kind})0 ? sum : ({kind})0;")
    if conv.limited:
        lines.append("sum = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;")
    return [*lines, f"{out} = ({conv.kind})sum;"]


# --- Vectors -----------------------------------------------------------------------------------------


def _constants(found: Read, conv: _Conv) -> list[str]:
    kernel, many = found.inputs[1][1], f"aie::broadcast<{conv.kind}, {_LANES}>"
    count = conv.taps**2 if conv.side else conv.taps
    lines = [f"const auto w{t} = {many}({kernel}[{t}]);" for t in range(count)]
    start = f"{many}(bias)" if conv.bias else f"aie::zeros<{conv.kind}, {_LANES}>()"
    if conv.rounded:
        lines.append(f"const auto start = {start};")
    else:
        lines.append(f"const aie::accum<{_ACCUMULATORS[conv.kind]}, {_LANES}> start({start});")
    if conv.relu:
        lines.append(f"const auto zero = aie::zeros<{conv.kind}, {_LANES}>();")
    return lines


def _products(conv: _Conv, taps: Sequence[str], result: str) -> list[str]:
    """``result`` of vectors with one tap's data in each."""
    if conv.rounded:
        round_ = f".to_vector<{conv.kind}>()"
        lines = [f"auto sum = aie::mul({taps[0]}, w0){round_};"]
        lines += [f"sum = aie::add(sum, aie::mul({tap}, w{t}){round_});" for t, tap in enumerate(taps) if t]
        value = "aie::add(sum, start)"
    else:
        lines = ["auto sum = start;"]
        lines += [f"sum = aie::mac(sum, {tap}, w{t});" for t, tap in enumerate(taps)]
        value = f"sum.to_vector<{conv.kind}>()"
    return [*lines, f"{result} = {f'aie::max({value}, zero)' if conv.relu else value};"]


def _line(found: Read, conv: _Conv, skills: frozenset[str]) -> list[str]:
    """A vector is loaded once and kept: with the next one it gives all its neighbours."""
    width, count = _LANES * conv.stride, found.size(-1)
    whole, rest = divmod(count, _LANES)
    trips = whole if "tail" in skills or not rest else whole + 1
    carried = conv.taps > conv.stride
    lines = [f"auto x = aie::load_v<{width}>(p0);"] if carried else []
    lines += [*loop_hints(trips, skills), f"for (int i = 0; i < {trips}; ++i) {{"]
    if carried:
        lines.append(f"    const auto next = aie::load_v<{width}>(p0 + {width});")
    else:
        lines.append(f"    const auto x = aie::load_v<{width}>(p0);")
    lines += indented(_products(conv, [_neighbour(conv, t) for t in range(conv.taps)], "const auto y"))
    lines += ["    aie::store_v(to, y);", f"    p0 += {width};", f"    to += {_LANES};"]
    lines += ["    x = next;", "}"] if carried else ["}"]
    return lines + (_last(found, conv) if rest and "tail" in skills else [])


def _neighbour(conv: _Conv, tap: int) -> str:
    if conv.stride == 1:
        return "x" if not tap else f"aie::shuffle_down_fill(x, next, {tap})"
    half, shift = ("even" if tap % 2 == 0 else "odd"), tap // 2
    x, following = f"aie::filter_{half}(x)", f"aie::filter_{half}(next)"
    return x if not shift else f"aie::shuffle_down_fill({x}, {following}, {shift})"


def _last(found: Read, conv: _Conv) -> list[str]:
    """The last results overlap with those before: a whole vector would leave the buffer."""
    data, out, back = found.inputs[0][1], found.pointers[-1][1], found.size(-1) - _LANES
    if conv.stride == 1:
        taps = [f"aie::load_unaligned_v<{_LANES}>({data} + {back + tap})" for tap in range(conv.taps)]
    else:
        loads = [f"aie::load_unaligned_v<32>({data} + {2 * (back + tap // 2)})" for tap in range(conv.taps)]
        taps = [f"aie::filter_{'odd' if tap % 2 else 'even'}({load})" for tap, load in enumerate(loads)]
    lines = _products(conv, taps, "const auto y")
    return ["{", *indented(lines), f"    aie::store_unaligned_v({out} + {back}, y);", "}"]


def _image(conv: _Conv, skills: frozenset[str]) -> list[str]:
    """A row of results at a time; lanes that are no results are covered by the next row's."""
    side = (conv.side - conv.taps) // conv.stride + 1
    taps: list[str] = []
    lines = [*unrolled(skills), f"for (int r = 0; r < {side}; ++r) {{"]
    for y in range(conv.taps):
        lines.append(
            f"    const auto x{y} = aie::load_v<{_LANES}>(p0 + {conv.side} * ({conv.stride} * r + {y}));"
        )
        taps += [_in_row(conv, f"x{y}", tap) for tap in range(conv.taps)]
    lines += indented(_products(conv, taps, "const auto y"))
    if "tail" not in skills:
        return [*lines, f"    aie::store_unaligned_v(to + {side} * r, y);", "}"]
    fitting = (side * side - _LANES) // side + 1
    return [
        *lines,
        f"    if (r < {fitting}) aie::store_unaligned_v(to + {side} * r, y);",
        f"    else for (int c = 0; c < {side}; ++c) to[{side} * r + c] = y[c];",
        "}",
    ]


def _in_row(conv: _Conv, row: str, tap: int) -> str:
    if conv.stride == 1:
        return row if not tap else f"aie::shuffle_down_rotate({row}, {tap})"
    half = f"aie::filter_{'odd' if tap % 2 else 'even'}(aie::concat({row}, {row}))"
    return half if tap < 2 else f"aie::shuffle_down_rotate({half}, {tap // 2})"
