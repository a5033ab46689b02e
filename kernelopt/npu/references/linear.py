"""Dot products and products of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelopt.npu.references._tools import Array, integers, saturate, wide


def _dot(a: Array, b: Array) -> Array:
    return np.dot(wide(a).astype(np.float64), wide(b).astype(np.float64))


def _dot_bias_relu_int8(a: Array, b: Array, bias: float) -> Array:
    return saturate(max(int(integers(a) @ integers(b)) + int(bias), 0), "int8")


TABLE: dict[str, Callable[..., Any]] = {
    "dotproduct_bfloat16": lambda a, b, size: _dot(a, b),
    "dotproduct_bias_relu_bfloat16": lambda a, b, bias, size: np.maximum(_dot(a, b) + wide(bias), 0),
    "dotproduct_bias_relu_int8": _dot_bias_relu_int8,
    "dotproduct_int32": lambda a, b: integers(a) @ integers(b),
    "matmul_16x16_int8": lambda a, b: saturate(integers(a) @ integers(b), "int8"),
    "matrixvector_mult_int8": lambda matrix, x: integers(matrix).reshape(16, 16) @ integers(x),
    "vectormatrix_mult_int32": lambda x, matrix: integers(x) @ integers(matrix),
}
"""Kernel name to reference."""
