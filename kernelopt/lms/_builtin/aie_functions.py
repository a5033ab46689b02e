"""Functions for the NPU that it has no instruction for: polynomials and Newton's steps in bfloat16."""

from __future__ import annotations

import re

from kernelopt.lms._builtin.aie_ops import Op
from kernelopt.lms._builtin.aie_read import Read

HELPERS = """\
using lanes = aie::vector<bfloat16, 16>;
using sums = aie::accum<accfloat, 16>;

static inline sums all(float x) { return sums(aie::broadcast<float, 16>(x)); }

// e^x = 2^n e^r with n the integer nearest to x / ln 2. In bfloat16 a sum with 192 is an integer; ln 2 comes
// in two parts.
static inline lanes exponential(const lanes &input) {
    constexpr bfloat16 high = 0.69140625f, low = 0.00173950195f;
    const lanes x = aie::max(aie::min(input, (bfloat16)40.0f), (bfloat16)-40.0f);
    const lanes n = aie::mac(all(192.0f), x, (bfloat16)1.4427f).to_vector<bfloat16>();
    const sums rest = aie::msc(aie::add(sums(x), all(192.0f * ((float)high + (float)low))), n, high);
    const lanes r = aie::msc(rest, n, low).to_vector<bfloat16>();
    lanes p = aie::mac(all(0.5f), r, (bfloat16)0.16699f).to_vector<bfloat16>();
    p = aie::mac(all(1.0f), r, p).to_vector<bfloat16>();
    p = aie::mac(all(1.0f), r, p).to_vector<bfloat16>();
    const auto exponent = aie::upshift(n.cast_to<int16_t>(), 7);  // n * 128, and 0xa000 for the 192
    return aie::sub(aie::add(p.cast_to<int16_t>(), exponent), (int16_t)0xa000).cast_to<bfloat16>();
}

// 1 / d: a first guess from the bits, then Newton's steps on what is missing, y + y (1 - d y).
static inline sums inverse(const lanes &d) {
    lanes y = aie::sub((int16_t)0x7ef3, d.cast_to<int16_t>()).cast_to<bfloat16>();
    lanes rest = aie::msc(all(1.0f), d, y).to_vector<bfloat16>();
    y = aie::mac(sums(y), y, rest).to_vector<bfloat16>();
    rest = aie::msc(all(1.0f), d, y).to_vector<bfloat16>();
    return aie::mac(sums(y), y, rest);
}
"""
"""``exponential`` and ``inverse`` of sixteen lanes: what stands before a kernel that calls them."""

_INVERSE = "inverse({}).to_vector<bfloat16>()"
_SIGMOID = _INVERSE.format("aie::add(exponential(aie::neg(x)), (bfloat16)1.0f)")

FUNCTIONS = (
    (r"^Exponential function of each element", Op("map", "expf(x)", "exponential(x)", 16)),
    (r"^1 / x\.", Op("map", "1.0f / x", _INVERSE.format("x"), 16)),
    (r"^Sigmoid: 1 / \(1 \+ e\^-x\)", Op("map", "1.0f / (1.0f + expf(-x))", _SIGMOID, 16)),
    (
        r"^SiLU: x / \(1 \+ e\^-x\)",
        Op("map", "x / (1.0f + expf(-x))", f"aie::mul(x, {_SIGMOID}).to_vector<bfloat16>()", 16),
    ),
    (
        r"^Hinge loss of each pair: 1 - label \* prediction, but not below 0",
        Op(
            "map",
            "1 - x * y > 0 ? 1 - x * y : 0",
            "aie::max(aie::msc(one, x, y).to_vector<bfloat16>(), zero)",
            16,
            (
                "const auto zero = aie::zeros<bfloat16, {n}>();",
                "const aie::accum<accfloat, {n}> one(aie::broadcast<bfloat16, {n}>((bfloat16)1.0f));",
            ),
        ),
    ),
)
"""Beginning of a description, and the operator that it means."""


def operator(found: Read) -> Op | None:
    """The operator that a description means, of bfloat16."""
    if any(kind != "bfloat16" for kind, _ in found.pointers):
        return None
    return next((op for pattern, op in FUNCTIONS if re.search(pattern, found.text)), None)


def helpers(body: str) -> str:
    """What a kernel's text needs before it."""
    return HELPERS + "\n" if re.search(r"\b(exponential|inverse)\(", body) else ""
