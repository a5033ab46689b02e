# bad: intermediate values are stored, read, and stored again
# task: gelu
# names: moves the data more often
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t i = 0; i < rows * cols; ++i) y[i] = x[i] * 0.70710678f;
    #pragma omp parallel for
    for (int64_t i = 0; i < rows * cols; ++i) y[i] = 1.0f + std::erf(y[i]);
    #pragma omp parallel for
    for (int64_t i = 0; i < rows * cols; ++i) y[i] = 0.5f * x[i] * y[i];
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
