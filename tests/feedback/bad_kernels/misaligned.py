# bad: aligned vector loads from addresses that are not aligned
# task: add
# names: aligned
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <immintrin.h>

extern "C" void f(const float* x, const float* z, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float *a = x + r * cols, *b = z + r * cols;
        int64_t c = 0;
        for (; c + 8 <= cols; c += 8)
            _mm256_store_ps(y + r * cols + c, _mm256_add_ps(_mm256_load_ps(a + c), _mm256_load_ps(b + c)));
        for (; c < cols; ++c) y[r * cols + c] = a[c] + b[c];
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x, z):
        y = torch.empty_like(x)
        lib.f(x, z, y, x.shape[0], x.shape[1])
        return y
