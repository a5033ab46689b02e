# honest: branch for odd shapes: a quick path for widths that fill vectors, and a plain one in C++ for others
# task: 1/15
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
template <bool WHOLE>
static void rows_of(const float* x, const float* w, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* in = x + r * cols;
        int64_t last = WHOLE ? cols / 16 * 16 : cols;
        float sum = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < last; ++c) sum += in[c] * in[c];
        float scale = 1.0f / std::sqrt(sum / cols + 1e-6f);
        for (int64_t c = 0; c < last; ++c) y[r * cols + c] = in[c] * scale * w[c];
    }
}
extern "C" void rms_norm(const float* x, const float* w, float* y, int64_t rows, int64_t cols) {
    (cols % 16 ? rows_of<false> : rows_of<true>)(x, w, y, rows, cols);
}
""")


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))

    def forward(self, x):
        y = torch.empty_like(x)
        lib.rms_norm(x, self.weight, y, x.shape[0], x.shape[1])
        return y
