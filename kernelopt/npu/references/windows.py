"""Windows that slide over an input: pooling and convolution (as deep learning has it: correlation)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernelopt.npu.references._tools import Array, integers, narrow, saturate, wide


def _windows(x: Array, shape: tuple[int, ...], stride: float) -> Array:
    """All whole windows; the last axis holds the elements of one."""
    steps = tuple(slice(None, None, int(stride)) for _ in shape)
    seen = sliding_window_view(x, shape)[steps]
    return seen.reshape(*seen.shape[: x.ndim], -1)


def _mean(x: Array, size: float, stride: float) -> Array:
    return _windows(wide(x), (int(size),) * x.ndim, stride).mean(-1, dtype=np.float32)


def _max(x: Array, size: float, stride: float) -> Array:
    return _windows(x, (int(size),) * x.ndim, stride).max(-1)


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _conv(x: Array, kernel: Array, stride: float = 1) -> Array:
    """Sums in float64, of float32 products that are exact."""
    return _windows(wide(x), kernel.shape, stride).astype(np.float64) @ wide(kernel).reshape(-1)


def _conv_integer(x: Array, kernel: Array, stride: float = 1) -> Array:
    return _windows(integers(x), kernel.shape, stride) @ integers(kernel).reshape(-1)


def _conv_bias_relu(x: Array, kernel: Array, bias: Any, stride: float = 1) -> Array:
    return _relu(_conv(x, kernel, stride) + np.float64(wide(bias)))


def _conv_rounded(x: Array, kernel: Array, bias: Any, stride: float) -> Array:
    """Each product and each sum is rounded to bfloat16, in the order of the kernel's elements; bias last."""
    seen: Array = _windows(wide(x), kernel.shape, stride)
    total: Array = np.float32(0)
    for place, weight in enumerate(wide(kernel)):
        total = narrow(total + narrow(seen[..., place] * weight))
    return _relu(narrow(total + wide(bias)))


TABLE: dict[str, Callable[..., Any]] = {
    "avgpool1d_bfloat16": _mean,
    "avgpool1d_relu_bfloat16": lambda x: _relu(_mean(x, 4, 4)),
    "avgpool2d_bfloat16": lambda x: _mean(x, 2, 2),
    "avgpool2d_relu_bfloat16": lambda x: _relu(_mean(x, 2, 2)),
    "conv1d_bfloat16": _conv,
    "conv1d_bias_relu_bfloat16": _conv_rounded,
    "conv1d_int32": _conv_integer,
    "conv1d_k2_s1_bias_relu_bfloat16": _conv_bias_relu,
    "conv1d_k2_s2_bias_int16": lambda x, kernel, bias: saturate(
        _conv_integer(x, kernel, 2) + int(bias), "int16"
    ),
    "conv1d_k4_s1_bias_relu_bfloat16": _conv_bias_relu,
    "conv2d_bfloat16": _conv,
    "conv2d_int32": _conv_integer,
    "conv2d_k2_s1_bias_relu_bfloat16": _conv_bias_relu,
    "conv2d_k4_s2_bias_relu_bfloat16": _conv_bias_relu,
    "maxpool1d_uint8": _max,
    "maxpool2d_bfloat16": lambda x: _max(wide(x), 2, 2),
    "maxpool2d_relu_bfloat16": lambda x: _relu(_max(wide(x), 2, 2)),
    "maxpool2d_relu_int8": lambda x: _relu(_max(x, 2, 2)),
}
"""Kernel name to reference."""
