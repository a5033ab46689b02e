# bad: the split over threads rounds down and leaves the end out
# task: gelu
# names: last block|gets too little|end of the output
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    int64_t n = rows * cols, parts = 7, size = n / parts;
    #pragma omp parallel for
    for (int64_t p = 0; p < parts; ++p)
        for (int64_t i = p * size; i < (p + 1) * size - 1000 * (p == parts - 1); ++i)
            y[i] = 0.5f * x[i] * (1.0f + std::erf(x[i] * 0.70710678f));
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
