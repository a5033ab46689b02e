"""Secret tables of this process: what timed inputs are scaled by, and which set an element is of."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from kernelopt.evaluator.data.pool import Numbers

SCALES = (1 << 18) + 3
"""How many factors there are to scale by. Odd, so that rows of a usual length all begin elsewhere."""
LEAST_SCALE = 0.9
_scales: dict[np.dtype[Any], Numbers] = {}
_sides: list[npt.NDArray[np.bool_]] = []


def factors_of(dtype: np.dtype[Any]) -> Numbers:
    """The secret table of this process."""
    if dtype not in _scales:
        chance = np.random.default_rng(list(os.urandom(16)))
        _scales[dtype] = chance.uniform(LEAST_SCALE, 1.0, SCALES).astype(dtype)
    return _scales[dtype]


def coins() -> npt.NDArray[np.bool_]:
    """The secret table of this process: which of two sets an element is taken from."""
    if not _sides:
        chance = np.random.default_rng(list(os.urandom(16)))
        _sides.append(chance.random(SCALES) < 0.5)
    return _sides[0]
