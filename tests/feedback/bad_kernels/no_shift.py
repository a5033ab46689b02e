# bad: the learned shift of each column is not added
# task: layer_norm
# names: bias
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, const float* g, const float* b, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* a = x + r * cols;
        float mean = 0, var = 0;
        for (int64_t c = 0; c < cols; ++c) mean += a[c];
        mean /= cols;
        for (int64_t c = 0; c < cols; ++c) var += (a[c] - mean) * (a[c] - mean);
        float scale = 1.0f / std::sqrt(var / cols + 1e-5f);
        for (int64_t c = 0; c < cols; ++c) y[r * cols + c] = (a[c] - mean) * scale * g[c];
    }
}
""")


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(300) + 0.5)
        self.bias = nn.Parameter(torch.randn(300))

    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, self.weight, self.bias, y, x.shape[0], x.shape[1])
        return y
