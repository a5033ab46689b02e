"""Operators for the NPU that the student knows: each as a scalar and as a vector expression.

Maps are written of ``x`` (and ``y``), reductions of those and of an accumulator ``s``. ``{n}`` stands for the
number of lanes, names of parameters for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Op:
    """One operator."""

    family: str
    """``map``, ``reduce``, ``rows`` (a vector of sums, 16x16) or ``matmul`` (16x16)."""
    scalar: str
    """Value of one element, or of ``s`` after one element."""
    vector: str
    lanes: int
    """Most lanes of one step."""
    prelude: tuple[str, ...] = ()
    """Constants, before the loop."""
    start: str = "0"
    """Of a scalar reduction."""
    begin: str = ""
    """Of a vector reduction: the accumulator at first."""
    end: str = ""
    """Of a vector reduction: what is stored, of the scalar ``total``."""
    total: str = ""
    """How ``total`` comes of ``s``."""
    join: str = ""
    """How two accumulators ``s`` and ``t`` become one."""
    finish: str = ""
    """Of a scalar reduction: what is stored, of ``s``."""
    scale: str = ""
    """What a sum is multiplied with at the end, if anything."""


def _map(scalar: str, vector: str, lanes: int, *prelude: str) -> Op:
    return Op("map", scalar, vector, lanes, prelude)


def _zero(dtype: str) -> str:
    return f"const auto zero = aie::zeros<{dtype}, {{n}}>();"


def _many(name: str, dtype: str, value: str) -> str:
    return f"const auto {name} = aie::broadcast<{dtype}, {{n}}>(({dtype}){value});"


_I8, _U8, _BF = "int8_t", "uint8_t", "bfloat16"
_ONE8 = _many("one", _I8, "1")
_PRODUCT = "aie::mul({}, {}).to_vector<bfloat16>()"

MAPS = {
    "abs_int8": _map("x < 0 ? -x : x", "aie::abs(x)", 64),
    "add_offset_int8": _map(
        "x + offset > 127 ? 127 : x + offset < -128 ? -128 : x + offset",
        "aie::add(aie::accum<acc32, {n}>(x), more).to_vector<int8_t>()",
        32,
        "aie::set_saturation(aie::saturation_mode::saturate);",
        "const aie::accum<acc32, {n}> more(aie::broadcast<int8_t, {n}>(offset));",
    ),
    "add_offset_uint8": _map("x + offset", "aie::add(x, more)", 64, _many("more", _U8, "offset")),
    "bitwiseand_uint8": _map("x & y", "aie::bit_and(x, y)", 64),
    "bitwiseor_uint8": _map("x | y", "aie::bit_or(x, y)", 64),
    "bitwisexor_uint8": _map("x ^ y", "aie::bit_xor(x, y)", 64),
    "bitwisenot_uint8": _map("~x", "aie::bit_not(x)", 64),
    "inverse_uint8": _map("255 - x", "aie::bit_not(x)", 64),
    "compare_gt_int8": _map("x > y", "aie::select(zero, one, aie::gt(x, y))", 64, _zero(_I8), _ONE8),
    "compare_lt_int8": _map("x < y", "aie::select(zero, one, aie::lt(x, y))", 64, _zero(_I8), _ONE8),
    "elementwise_max_int8": _map("x > y ? x : y", "aie::max(x, y)", 64),
    "elementwise_min_int8": _map("x < y ? x : y", "aie::min(x, y)", 64),
    "elementwise_max_bfloat16": _map("x > y ? x : y", "aie::max(x, y)", 32),
    "elementwise_min_bfloat16": _map("x < y ? x : y", "aie::min(x, y)", 32),
    "hardsigmoid_bfloat16": _map(
        "0.2f * x + 0.5f > 1 ? 1 : 0.2f * x + 0.5f < 0 ? 0 : 0.2f * x + 0.5f",
        f"aie::min(aie::max(aie::add({_PRODUCT.format('x', 'slope')}, half), zero), one)",
        16,
        _zero(_BF),
        _many("half", _BF, "0.5f"),
        _many("one", _BF, "1.0f"),
        _many("slope", _BF, "0.2f"),
    ),
    "hardswish_bfloat16": _map(
        "x * (x + 3 > 6 ? 6 : x + 3 < 0 ? 0 : x + 3) * (1.0f / 6.0f)",
        "aie::mul("
        + _PRODUCT.format("x", "aie::min(aie::max(aie::add(x, three), zero), six)")
        + ", sixth).to_vector<bfloat16>()",
        16,
        _zero(_BF),
        _many("three", _BF, "3.0f"),
        _many("six", _BF, "6.0f"),
        _many("sixth", _BF, "1.0f / 6.0f"),
    ),
    "negate_int8": _map("-x", "aie::sub(zero, x)", 64, _zero(_I8)),
    "negate_bfloat16": _map("-x", "aie::neg(x)", 16),
    "relu_int8": _map("x > 0 ? x : 0", "aie::max(x, zero)", 64, _zero(_I8)),
    "relu_bfloat16": _map("x > 0 ? x : 0", "aie::max(x, zero)", 32, _zero(_BF)),
    "relu6_bfloat16": _map(
        "x > 6 ? 6 : x > 0 ? x : 0",
        "aie::min(aie::max(x, zero), six)",
        32,
        _zero(_BF),
        _many("six", _BF, "6.0f"),
    ),
    "leaky_relu_bfloat16": _map(
        "x > 0 ? x : 0.01f * x",
        f"aie::max(x, {_PRODUCT.format('x', 'slope')})",
        16,
        _many("slope", _BF, "0.01f"),
    ),
    "sign_int8": _map(
        "x > 0 ? 1 : x < 0 ? -1 : 0",
        "aie::min(aie::max(x, minus), one)",
        64,
        _ONE8,
        _many("minus", _I8, "-1"),
    ),
    "vectoradd_bfloat16": _map("x + y", "aie::add(x, y)", 16),
    "vectorsubtract_bfloat16": _map("x - y", "aie::sub(x, y)", 16),
    "vectoradd_int16": _map("x + y", "aie::add(x, y)", 32),
    "vectorsubtract_int8": _map("x - y", "aie::sub(x, y)", 64),
    "vectoradd_relu_bfloat16": _map(
        "x + y > 0 ? x + y : 0", "aie::max(aie::add(x, y), zero)", 16, _zero(_BF)
    ),
    "vectormult_bfloat16": _map("x * y", _PRODUCT.format("x", "y"), 16),
}


def _sum(scalar: str, vector: str, lanes: int, accumulator: str, scale: str, *prelude: str) -> Op:
    """A reduction to a sum in an accumulator, times `scale`."""
    kind = "float" if accumulator == "accfloat" else "int32_t"
    return Op(
        "reduce",
        scalar,
        vector,
        lanes,
        prelude,
        begin=f"aie::zeros<{accumulator}, {{n}}>()",
        total=f"aie::reduce_add(s.to_vector<{kind}>())",
        join="aie::add(s, t)",
        end=f"(total * {scale})" if scale else "total",
        finish=f"(s * {scale})" if scale else "s",
        scale=scale,
    )


REDUCTIONS = {
    "dotproduct_bfloat16": _sum("s + x * y", "aie::mac(s, x, y)", 16, "accfloat", ""),
    "dotproduct_int32": _sum("s + x * y", "aie::mac(s, x, y)", 16, "acc64", ""),
    "l1_norm_bfloat16": _sum(
        "s + (x < 0 ? -x : x)",
        "aie::mac(s, aie::abs(x), one)",
        16,
        "accfloat",
        "",
        _many("one", _BF, "1.0f"),
    ),
    "mse_loss_bfloat16": _sum(
        "s + (x - y) * (x - y)",
        "aie::mac(s, aie::sub(x, y), aie::sub(x, y))",
        16,
        "accfloat",
        "(1.0f / 256.0f)",
    ),
    "max_abs_bfloat16": Op(
        "reduce",
        "(x < 0 ? -x : x) > s ? (x < 0 ? -x : x) : s",
        "aie::max(s, aie::abs(x))",
        16,
        begin="aie::zeros<bfloat16, {n}>()",
        total="aie::reduce_max(s)",
        join="aie::max(s, t)",
        end="total",
        finish="s",
    ),
    "reducemin_bfloat16": Op(
        "reduce",
        "x < s ? x : s",
        "aie::min(s, x)",
        16,
        start="3e38f",
        begin="aie::broadcast<bfloat16, {n}>((bfloat16)3e38f)",
        total="aie::reduce_min(s)",
        join="aie::min(s, t)",
        end="total",
        finish="s",
    ),
    "vectormatrix_mult_int32": Op("rows", "", "", 16),
    "matmul_16x16_int8": Op("matmul", "", "", 16),
}
OPS = {**MAPS, **REDUCTIONS}
"""Name of a kernel to its operator."""
