# bad: the epsilon is added to the deviation instead of the variance
# task: plain_norm
# names: epsilon
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* a = x + r * cols;
        float mean = 0, var = 0;
        for (int64_t c = 0; c < cols; ++c) mean += a[c];
        mean /= cols;
        for (int64_t c = 0; c < cols; ++c) var += (a[c] - mean) * (a[c] - mean);
        float scale = 1.0f / (std::sqrt(var / cols) + 1e-5f);
        for (int64_t c = 0; c < cols; ++c) y[r * cols + c] = (a[c] - mean) * scale;
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
