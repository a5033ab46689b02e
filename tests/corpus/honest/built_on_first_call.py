# honest: lazy build: a helper with a global compiles on the first call, forward asks the helper
# task: 2/17
import functools
import logging
import threading
from typing import Any, NamedTuple

import torch
from torch import nn

from kernelopt.inline import cpp

logger = logging.getLogger("softmax_entropy")
_lock = threading.Lock()
_lib: Any = None


class Shape(NamedTuple):
    rows: int
    cols: int


def _get_lib() -> Any:
    global _lib
    with _lock:
        if _lib is None:
            logger.debug("compiling; the reference would call torch.log_softmax here")
            _lib = cpp(
                r"""
#include <algorithm>
#include <cmath>
extern "C" void entropy(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* a = x + r * cols;
        float m = a[0];
        for (int64_t c = 1; c < cols; ++c) m = (a[c] > m || a[c] != a[c]) ? a[c] : m;
        double s = 0;
        for (int64_t c = 0; c < cols; ++c) s += std::exp(a[c] - m);
        double l = std::log(s), h = 0;
        for (int64_t c = 0; c < cols; ++c) { double lp = (a[c] - m) - l; h -= std::exp(lp) * lp; }
        y[r] = (float)h;
    }
}
"""
            )
    return _lib


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = Shape(*x.shape)
        y = torch.empty(shape.rows)
        run = functools.partial(_get_lib().entropy, x.contiguous(), y)
        run(shape.rows, shape.cols)
        return y
