"""Many elements to one, and prefix sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelopt.npu.references._tools import Array, integers, saturate, wide


def _variance(x: Array) -> Array:
    """Mean of squares less the square of the mean, never below 0."""
    x = wide(x).astype(np.float64)
    return np.maximum((x * x).mean() - x.mean() ** 2, 0)


def _squares(a: Array, b: Array) -> Array:
    return (wide(a) - wide(b)) ** 2


TABLE: dict[str, Callable[..., Any]] = {
    "argmax_bfloat16": lambda x: np.argmax(wide(x)),
    "argmax_int32": np.argmax,
    "argmin_bfloat16": lambda x: np.argmin(wide(x)),
    "cumsum_bfloat16": lambda x: np.cumsum(wide(x), dtype=np.float32),
    "cumsum_int16": lambda x: saturate(np.cumsum(integers(x)), "int16"),
    "euclidean_dist_bfloat16": lambda a, b: np.sqrt(_squares(a, b).sum(dtype=np.float32)),
    "l1_norm_bfloat16": lambda x: np.abs(wide(x)).sum(dtype=np.float32),
    "max_abs_bfloat16": lambda x: np.abs(wide(x)).max(),
    "mse_loss_bfloat16": lambda a, b: _squares(a, b).mean(dtype=np.float32),
    "reduce_add_relu_int8": lambda x: saturate(max(integers(x).sum(), 0), "int8"),
    "reducemin_bfloat16": lambda x: wide(x).min(),
    "variance_bfloat16": _variance,
}
"""Kernel name to reference."""
