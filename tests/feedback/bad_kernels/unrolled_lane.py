# bad: one lane of an unrolled loop reads its neighbour
# task: gelu
# names: lane of an unrolled
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    auto g = [](float v) { return 0.5f * v * (1.0f + std::erf(v * 0.70710678f)); };
    int64_t i = 0, n = rows * cols;
    for (; i + 4 <= n; i += 4) {
        y[i] = g(x[i]);
        y[i + 1] = g(x[i + 1]);
        y[i + 2] = g(x[i + 1]);
        y[i + 3] = g(x[i + 3]);
    }
    for (; i < n; ++i) y[i] = g(x[i]);
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
