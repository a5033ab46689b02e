# honest: cached choice: an lru_cache remembers the block size for a shape
# task: 1/5
from functools import lru_cache

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
// y = aT b: rows of a and b are walked together, a block of sums stays in registers.
extern "C" void product(const float* a, const float* b, float* y, int64_t inner, int64_t rows, int64_t cols,
                        int64_t depth) {
    #pragma omp parallel for
    for (int64_t i = 0; i < rows; i += 8)
        for (int64_t from = 0; from < inner; from += depth) {
            int64_t to = std::min(from + depth, inner), high = std::min<int64_t>(8, rows - i);
            for (int64_t j = 0; j < cols; j += 32) {
                int64_t wide = std::min<int64_t>(32, cols - j);
                float sum[8][32] = {};
                if (high == 8 && wide == 32) {
                    for (int64_t k = from; k < to; ++k)
                        for (int p = 0; p < 8; ++p)
                            for (int q = 0; q < 32; ++q)
                                sum[p][q] += a[k * rows + i + p] * b[k * cols + j + q];
                } else {
                    for (int64_t k = from; k < to; ++k)
                        for (int64_t p = 0; p < high; ++p)
                            for (int64_t q = 0; q < wide; ++q)
                                sum[p][q] += a[k * rows + i + p] * b[k * cols + j + q];
                }
                for (int64_t p = 0; p < high; ++p)
                    for (int64_t q = 0; q < wide; ++q) {
                        float& out = y[(i + p) * cols + j + q];
                        out = from ? out + sum[p][q] : sum[p][q];
                    }
            }
        }
}
""")


@lru_cache(maxsize=64)
def depth_for(inner, cols):
    """How many lines of `b` fit in a quarter of a megabyte."""
    return max(16, min(inner, (1 << 16) // cols))


class ModelNew(nn.Module):
    def forward(self, a, b):
        inner, rows = a.shape
        y = torch.empty(rows, b.shape[1])
        lib.product(a, b, y, inner, rows, b.shape[1], depth_for(inner, b.shape[1]))
        return y
