"""One output element for each input element: arithmetic, comparisons, bits, conversions, rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelopt.npu.references._tools import Array, integers, narrow, saturate, wide, wrap


def _bits(x: Array) -> Array:
    """How many bits of each element are set."""
    wanted = np.arange(8 * x.dtype.itemsize, dtype=np.int64)
    return (integers(x)[..., None] >> wanted & 1).sum(-1)


def _round_half_even_int8(x: Array) -> Array:
    return saturate(np.rint(wide(x)), "int8")


def _relu_uint8(x: Array) -> Array:
    """A tie goes to the even neighbour."""
    return np.clip(np.rint(np.maximum(wide(x), 0)), 0, 255)


def _divide(a: Array, b: Array) -> Array:
    return np.where(wide(b) == 0, np.float32(0), wide(a) / wide(b))


def _rsqrt(x: Array) -> Array:
    return np.where(wide(x) > 0, 1 / np.sqrt(wide(x)), np.float32(0))


def shuffle(x: Array, seed: float) -> Array:
    """Fisher–Yates from the last element down; the partner is a xorshift32 state modulo the length left."""
    out, state = x.copy(), int(seed) & 0xFFFFFFFF
    for last in range(out.size - 1, 0, -1):
        for shift in (13, -17, 5):
            state ^= (state << shift if shift > 0 else state >> -shift) & 0xFFFFFFFF
        partner = state % (last + 1)
        out[[last, partner]] = out[[partner, last]]
    return out


def pad(x: Array, size: float, value: float) -> Array:
    """`size` copies of a value before and behind each axis."""
    return np.pad(x, int(size), constant_values=int(value))


TABLE: dict[str, Callable[..., Any]] = {
    "abs_int8": lambda x: wrap(np.abs(integers(x)), "int8"),
    "add_offset_int8": lambda x, offset: saturate(integers(x) + int(offset), "int8"),
    "add_offset_uint8": lambda x, offset: wrap(integers(x) + int(offset), "uint8"),
    "bitcount_uint16": _bits,
    "bitcount_uint8": _bits,
    "bitwiseand_uint8": lambda a, b: a & b,
    "bitwisenot_uint8": lambda a: ~a,
    "bitwiseor_uint8": lambda a, b: a | b,
    "bitwisexor_uint8": lambda a, b: a ^ b,
    "cast_bfloat16_to_float32": wide,
    "cast_bfloat16_to_int8": _round_half_even_int8,
    "cast_float32_to_bfloat16": narrow,
    "cast_int8_to_int32": lambda x: x.astype(np.int32),
    "ceil_bfloat16": lambda x: np.ceil(wide(x)),
    "compare_equal_bfloat16": lambda a, b: wide(a) == wide(b),
    "compare_equal_int32": lambda a, b: a == b,
    "compare_gt_int8": lambda a, b: a > b,
    "compare_lt_int8": lambda a, b: a < b,
    "complexabs_bfloat16": lambda re, im: np.sqrt(wide(re) ** 2 + wide(im) ** 2),
    "divide_bfloat16": _divide,
    "elementwise_max_bfloat16": lambda a, b: np.maximum(wide(a), wide(b)),
    "elementwise_max_int8": np.maximum,
    "elementwise_min_bfloat16": lambda a, b: np.minimum(wide(a), wide(b)),
    "elementwise_min_int8": np.minimum,
    "floor_bfloat16": lambda x: np.floor(wide(x)),
    "gather_bfloat16_int32idx": lambda x, index: x[index],
    "hingeloss_bfloat16": lambda pred, label: np.maximum(0, 1 - wide(label) * wide(pred)),
    "inverse_uint8": lambda x: 255 - x,
    "negate_bfloat16": lambda x: -wide(x),
    "negate_int8": lambda x: wrap(-integers(x), "int8"),
    "pad1d_int32": pad,
    "pad2d_int32": pad,
    "reciprocal_bfloat16": lambda x: 1 / wide(x),
    "relu_bfloat16": lambda x: np.maximum(wide(x), 0),
    "relu_bfloat16_cast_uint8": _relu_uint8,
    "relu_int8": lambda x: np.maximum(x, np.int8(0)),
    "round_bfloat16": lambda x: np.floor(wide(x) + np.float32(0.5)),
    "rsqrt_bfloat16": _rsqrt,
    "shuffle_int32": shuffle,
    "sign_int8": np.sign,
    "sqrt_bfloat16": lambda x: np.sqrt(np.maximum(wide(x), 0)),
    "vectoradd_bfloat16": lambda a, b: wide(a) + wide(b),
    "vectoradd_int16": lambda a, b: wrap(integers(a) + integers(b), "int16"),
    "vectoradd_relu_bfloat16": lambda a, b: np.maximum(wide(a) + wide(b), 0),
    "vectormult_bfloat16": lambda a, b, size: wide(a) * wide(b),
    "vectorsubtract_bfloat16": lambda a, b: wide(a) - wide(b),
    "vectorsubtract_int8": lambda a, b: wrap(integers(a) - integers(b), "int8"),
}
"""Kernel name to reference."""
