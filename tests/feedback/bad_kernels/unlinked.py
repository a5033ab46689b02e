# bad: a function that no object defines
# task: gelu
# names: undefined
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

float normal(float);

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows * cols; ++i) y[i] = x[i] * normal(x[i]);
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
