# honest: lazy build: forward asks an lru_cache for a library made for the width of its input
# task: 1/24
import functools

import torch
from torch import nn

from kernelopt.inline import cpp


@functools.cache
def build(cols):
    return cpp(
        r"""
extern "C" void row_var(const float* x, float* y, int64_t rows) {
    constexpr int64_t cols = COLS;
    for (int64_t r = 0; r < rows; ++r) {
        double mean = 0, m2 = 0;
        for (int64_t c = 0; c < cols; ++c) mean += x[r * cols + c];
        mean /= cols;
        for (int64_t c = 0; c < cols; ++c) m2 += (x[r * cols + c] - mean) * (x[r * cols + c] - mean);
        y[r] = (float)(m2 / (cols - 1));
    }
}
""".replace("COLS", str(cols))
    )


class ModelNew(nn.Module):
    def forward(self, x):
        lib = build(x.shape[1])
        y = torch.empty(x.shape[0])
        lib.row_var(x.contiguous(), y, x.shape[0])
        return y
