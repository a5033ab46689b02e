"""Activations and transcendental functions, computed in float64 and rounded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelopt.npu.references._tools import Array


def _double(x: Array) -> Array:
    return np.asarray(x).astype(np.float64)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-_double(x)))


def _gelu(x: Array) -> Array:
    """The tanh form."""
    x = _double(x)
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _hardsigmoid_int8(x: Array) -> Array:
    """A tie goes to the even neighbour."""
    return np.rint(127 * np.clip(_double(x) / 6 + 0.5, 0, 1))


def _logarithm(of: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Minus infinity for what has no logarithm."""
    return lambda x: of(np.maximum(_double(x), 0))


def _softmax(x: Array) -> Array:
    powers = np.exp(_double(x) - _double(x).max())
    return powers / powers.sum()


TABLE: dict[str, Callable[..., Any]] = {
    "cos_bfloat16": lambda x: np.cos(_double(x)),
    "exp_bfloat16": lambda x: np.exp(_double(x)),
    "gelu_bfloat16": _gelu,
    "hardsigmoid_bfloat16": lambda x: np.clip(0.2 * _double(x) + 0.5, 0, 1),
    "hardsigmoid_int8": _hardsigmoid_int8,
    "hardswish_bfloat16": lambda x: _double(x) * np.clip(_double(x) + 3, 0, 6) / 6,
    "leaky_relu_bfloat16": lambda x: np.where(_double(x) > 0, _double(x), 0.01 * _double(x)),
    "log10_bfloat16": _logarithm(np.log10),
    "log2_bfloat16": _logarithm(np.log2),
    "log_bfloat16": lambda x: np.log(_double(x)),
    "mish_bfloat16": lambda x: _double(x) * np.tanh(np.log1p(np.exp(_double(x)))),
    "relu6_bfloat16": lambda x: np.clip(_double(x), 0, 6),
    "sigmoid_bfloat16": _sigmoid,
    "silu_bfloat16": lambda x: _double(x) * _sigmoid(x),
    "sin_bfloat16": lambda x: np.sin(_double(x)),
    "softmax_bfloat16": _softmax,
    "tan_bfloat16": lambda x: np.tan(np.clip(_double(x), -15, 15)),
    "tanh_bfloat16": lambda x: np.tanh(_double(x)),
}
"""Kernel name to reference."""
