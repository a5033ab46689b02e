# bad: the divisor counts elements beyond the border
# task: average
# names: border
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < cols; ++c) {
            float left = c ? x[r * cols + c - 1] : 0.0f, right = c + 1 < cols ? x[r * cols + c + 1] : 0.0f;
            y[r * cols + c] = (left + x[r * cols + c] + right) / 3.0f;
        }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0] * x.shape[1], x.shape[2])
        return y
