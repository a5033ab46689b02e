"""A task for the NPU and what the student knows → a kernel."""

from __future__ import annotations

from kernelopt.lms._builtin import aie_conv, aie_functions, aie_pool, aie_whole
from kernelopt.lms._builtin.aie_ops import OPS, Op
from kernelopt.lms._builtin.aie_read import Read, UnknownKernel, local_pointers, loop_hints, read, unrolled

__all__ = ["UnknownKernel", "write_kernel"]
_NARROW = 16
_FAMILIES = (aie_conv, aie_pool, aie_whole)


def write_kernel(task: str, skills: frozenset[str]) -> str:
    """The kernel's file.

    Raises:
        UnknownKernel: the task is no kernel, or its operator is not known.
    """
    found = read(task)
    known = "vectors" in skills
    family = next((family for family in _FAMILIES if family.match(found)), None)
    if family:
        body = family.vector(found, skills) if known else family.scalar(found)
    else:
        op = OPS.get(found.name) or aie_functions.operator(found)
        if op is None:
            raise UnknownKernel(found.name)
        body = _vector(found, op, skills) if known else _scalar(found, op)
    lines = "\n".join(f"    {line}".rstrip() for line in body)
    mathematics = "#include <math.h>\n" if "expf(" in lines else ""
    top = f'#include <aie_api/aie.hpp>\n#include "aie_kernel_utils.h"\n{mathematics}\n'
    return f"{top}{aie_functions.helpers(lines)}{found.signature} {{\n{lines}\n}}\n"


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
        *local_pointers(found, names, skills),
        *(line.format(n=lanes) for line in op.prelude),
    ]
    return lines + (_mapped if op.family == "map" else _reduced)(found, op, names, lanes, skills)


def _mapped(found: Read, op: Op, names: list[str], lanes: int, skills: frozenset[str]) -> list[str]:
    trips = found.elements // lanes
    loads = [f"    const auto {v} = aie::load_v<{lanes}>({p});" for v, p in zip("xy", names, strict=False)]
    return [
        *loop_hints(trips, skills),
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
    lines += [*loop_hints(trips, skills), f"for (int i = 0; i < {trips}; ++i) {{"]
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
    kind = found.pointers[-1][0]
    if op.scale and kind == "bfloat16" and "vector_ends" in skills:
        total = f"aie::broadcast<bfloat16, {lanes}>((bfloat16){op.total})"
        product = f"aie::mul({total}, (bfloat16){op.scale})"
        return [*lines, f"*to = {product}.to_vector<bfloat16>().get(0);"]
    return [*lines, f"const auto total = {op.total};", f"*to = ({kind})({op.end});"]


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
        *local_pointers(found, names, skills),
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
    if "blocks" in skills:
        return _matmul_blocks(found, skills)
    return [
        "aie::set_saturation(aie::saturation_mode::saturate);",
        *local_pointers(found, ["p0", "p1"], skills),
        *loop_hints(16, skills),
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


def _matmul_blocks(found: Read, skills: frozenset[str]) -> list[str]:
    """Four rows of the first matrix are a block as they lie; columns of the second come apart by eights."""
    halves = [
        f"const auto {name} = aie::concat({', '.join(f'aie::filter_{half}(b{i}, 8)' for i in range(4))});"
        for name, half in (("left", "even"), ("right", "odd"))
    ]
    return [
        "using block = aie::mmul<4, 16, 8, int8_t, int8_t>;",
        "aie::set_saturation(aie::saturation_mode::saturate);",
        *local_pointers(found, ["p0", "p1"], skills),
        *(f"const auto b{i} = aie::load_v<64>(p1 + {64 * i});" for i in range(4)),
        *halves,
        *unrolled(skills),
        "for (int i = 0; i < 4; ++i) {",
        "    const auto rows = aie::load_v<64>(p0 + 64 * i);",
        "    block c, d;",
        "    c.mul(rows, left);",
        "    d.mul(rows, right);",
        "    const auto [low, high] = aie::interleave_zip(c.to_vector<int8_t>(), d.to_vector<int8_t>(), 8);",
        "    aie::store_v(to + 64 * i, low);",
        "    aie::store_v(to + 64 * i + 32, high);",
        "}",
    ]
