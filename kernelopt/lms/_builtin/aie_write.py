"""A task for the NPU and what the student knows → a kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kernelopt.lms._builtin.aie_ops import OPS, Op

_SIGNATURE = re.compile(r"^void (\w+)\(([^()]*)\) \{", re.MULTILINE)
_SIZE = re.compile(r"^ \*\s+\w+\[([\d, ]+)\] (\w+) \((?:input|output)\)$", re.MULTILINE)
_NARROW = 16


class UnknownKernel(Exception):
    """The student has no idea how to write this kernel."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a prompt says of a task."""

    name: str
    signature: str
    pointers: tuple[tuple[str, str], ...]
    """(C type, name) of each buffer, the output last."""
    elements: int
    """Of the first input."""

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """The buffers that are read."""
        return self.pointers[:-1]


def write_kernel(task: str, skills: frozenset[str]) -> str:
    """The kernel's file.

    Raises:
        UnknownKernel: the task is no kernel, or its operator is not known.
    """
    found = _read(task)
    op = OPS.get(found.name)
    if op is None:
        raise UnknownKernel(found.name)
    body = _vector(found, op, skills) if "vectors" in skills else _scalar(found, op)
    lines = "\n".join(f"    {line}".rstrip() for line in body)
    return f'#include <aie_api/aie.hpp>\n#include "aie_kernel_utils.h"\n\n{found.signature} {{\n{lines}\n}}\n'


def _read(task: str) -> Read:
    head = _SIGNATURE.search(task)
    if head is None:
        raise UnknownKernel("no function")
    pointers = tuple(
        (part.replace("const", "").split("*")[0].strip(), part.split("*")[1].strip())
        for part in head[2].split(",")
        if "*" in part
    )
    sizes = {name: _product(shape) for shape, name in _SIZE.findall(task)}
    signature = head[0].removesuffix(" {")
    return Read(head[1], signature, pointers, sizes.get(pointers[0][1], 0))


def _product(shape: str) -> int:
    total = 1
    for part in shape.split(","):
        total *= int(part)
    return total


def _scalar(found: Read, op: Op) -> list[str]:
    if op.family in ("rows", "matmul"):
        return (_rows_scalar if op.family == "rows" else _matmul_scalar)(found)
    kind = "float" if found.inputs[0][0] == "bfloat16" else "int32_t"
    loads = [f"    const {kind} {v} = {name}[i];" for v, (_, name) in zip("xy", found.inputs, strict=False)]
    out_type, out = found.pointers[-1]
    head = f"for (int i = 0; i < {found.elements}; ++i) {{"
    if op.family == "map":
        return [head, *loads, f"    {out}[i] = ({out_type})({op.scalar});", "}"]
    return [
        f"{kind} s = {op.start};",
        head,
        *loads,
        f"    s = {op.scalar};",
        "}",
        f"*{out} = ({out_type})({op.finish});",
    ]


def _vector(found: Read, op: Op, skills: frozenset[str]) -> list[str]:
    if op.family in ("rows", "matmul"):
        return (_rows_vector if op.family == "rows" else _matmul_vector)(found, skills)
    lanes = op.lanes if "wide" in skills or op.family == "reduce" else min(op.lanes, _NARROW)
    names = [f"p{index}" for index in range(len(found.inputs))]
    lines = [
        *_pointers(found, names, skills),
        *(line.format(n=lanes) for line in op.prelude),
    ]
    return lines + (_mapped if op.family == "map" else _reduced)(found, op, names, lanes, skills)


def _pointers(found: Read, names: list[str], skills: frozenset[str]) -> list[str]:
    word = "__restrict " if "restrict" in skills else ""
    lines = [
        f"const {kind} *{word}{own} = {name};" for own, (kind, name) in zip(names, found.inputs, strict=True)
    ]
    kind, name = found.pointers[-1]
    return [*lines, f"{kind} *{word}to = {name};"]


def _hints(trips: int, skills: frozenset[str]) -> list[str]:
    if "pipeline" not in skills:
        return []
    return ["AIE_PREPARE_FOR_PIPELINING", f"AIE_LOOP_MIN_ITERATION_COUNT({trips})"]


def _mapped(found: Read, op: Op, names: list[str], lanes: int, skills: frozenset[str]) -> list[str]:
    trips = found.elements // lanes
    loads = [f"    const auto {v} = aie::load_v<{lanes}>({p});" for v, p in zip("xy", names, strict=False)]
    return [
        *_hints(trips, skills),
        f"for (int i = 0; i < {trips}; ++i) {{",
        *loads,
        f"    aie::store_v(to, {op.vector.replace('{n}', str(lanes))});",
        *(f"    {p} += {lanes};" for p in (*names, "to")),
        "}",
    ]


def _reduced(found: Read, op: Op, names: list[str], lanes: int, skills: frozenset[str]) -> list[str]:
    """One accumulator, or two that take turns: each waits for its own last result only."""
    count = 2 if "accumulators" in skills and found.elements % (2 * lanes) == 0 else 1
    trips = found.elements // (lanes * count)
    lines = [f"auto {s} = {op.begin.format(n=lanes)};" for s in "st"[:count]]
    lines += [*_hints(trips, skills), f"for (int i = 0; i < {trips}; ++i) {{"]
    for s in "st"[:count]:
        lines.append("    {")
        lines += [
            f"        const auto {v} = aie::load_v<{lanes}>({p});" for v, p in zip("xy", names, strict=False)
        ]
        lines.append(f"        {s} = {op.vector.replace('(s,', f'({s},')};")
        lines += [*(f"        {p} += {lanes};" for p in names), "    }"]
    lines.append("}")
    if count == 2:
        lines.append(f"s = {op.join};")
    return [*lines, f"const auto total = {op.total};", f"*to = ({found.pointers[-1][0]})({op.end});"]


def _rows_scalar(found: Read) -> list[str]:
    (_, vector), (_, matrix), (_, out) = found.pointers
    return [
        "for (int column = 0; column < 16; ++column) {",
        "    int32_t sum = 0;",
        f"    for (int k = 0; k < 16; ++k) sum += {vector}[k] * {matrix}[k * 16 + column];",
        f"    {out}[column] = sum;",
        "}",
    ]


def _rows_vector(found: Read, skills: frozenset[str]) -> list[str]:
    """A row of the matrix at a time, times one element."""
    names = ["p0", "p1"]
    return [
        *_pointers(found, names, skills),
        "auto s = aie::zeros<acc64, 16>();",
        "const auto x = aie::load_v<16>(p0);",
        *(["AIE_LOOP_UNROLL_FULL"] if "pipeline" in skills else []),
        "for (int k = 0; k < 16; ++k) {",
        "    s = aie::mac(s, aie::load_v<16>(p1 + 16 * k), (int32_t)x[k]);",
        "}",
        "aie::store_v(to, s.to_vector<int32_t>());",
    ]


def _matmul_scalar(found: Read) -> list[str]:
    (_, a), (_, b), (_, out) = found.pointers
    return [
        "for (int row = 0; row < 16; ++row) {",
        "    for (int column = 0; column < 16; ++column) {",
        "        int32_t sum = 0;",
        f"        for (int k = 0; k < 16; ++k) sum += {a}[row * 16 + k] * {b}[k * 16 + column];",
        f"        {out}[row * 16 + column] = (int8_t)(sum > 127 ? 127 : sum < -128 ? -128 : sum);",
        "    }",
        "}",
    ]


def _matmul_vector(found: Read, skills: frozenset[str]) -> list[str]:
    """A row of the result at a time: rows of the second matrix, each times one element of the first."""
    return [
        "aie::set_saturation(aie::saturation_mode::saturate);",
        *_pointers(found, ["p0", "p1"], skills),
        *_hints(16, skills),
        "for (int row = 0; row < 16; ++row) {",
        "    const auto x = aie::unpack(aie::load_v<16>(p0));",
        "    auto s = aie::zeros<acc32, 16>();",
        *(["    AIE_LOOP_UNROLL_FULL"] if "pipeline" in skills else []),
        "    for (int k = 0; k < 16; ++k) {",
        "        s = aie::mac(s, aie::unpack(aie::load_v<16>(p1 + 16 * k)), (int16_t)x[k]);",
        "    }",
        "    aie::store_v(to, s.to_vector<int8_t>());",
        "    p0 += 16;",
        "    to += 16;",
        "}",
    ]
