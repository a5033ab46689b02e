"""What the references share: widening, saturation, ordered sums."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

Array = Any
"""A numpy array. The stubs say Any of half of what is done with one, so NDArray would need casts."""


def wide(x: Any) -> Array:
    """float32 of a bfloat16 array; exact."""
    return np.asarray(x).astype(np.float32)


def narrow(x: Any) -> Array:
    """To bfloat16 and back to float32: one rounding to the nearest even."""
    return np.asarray(x).astype(ml_dtypes.bfloat16).astype(np.float32)


def integers(x: Any) -> Array:
    """int64 of any integer array, so that nothing overflows."""
    return np.asarray(x).astype(np.int64)


def saturate(x: Any, dtype: str) -> Array:
    """Clipped to the range of an integer dtype."""
    limits = np.iinfo(dtype)
    return np.clip(x, limits.min, limits.max).astype(dtype)


def wrap(x: Any, dtype: str) -> Array:
    """The low bits of an integer, as two's complement arithmetic keeps them."""
    return integers(x).astype(dtype)
