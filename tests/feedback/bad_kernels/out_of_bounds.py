# bad: an index far beyond the output
# task: gelu
# names: out of bounds
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t i = 0; i < rows * cols; ++i) y[i * 4096] = x[i];
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
