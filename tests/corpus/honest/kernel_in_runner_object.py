# honest: runner object: a small class is given the built library and calls its function softmax
# task: 1/12
import torch
from torch import nn

from kernelopt.inline import cpp

SOURCE = r"""
#include <cmath>
extern "C" void softmax(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        float m = x[r * cols], s = 0;
        for (int64_t c = 1; c < cols; ++c) m = std::fmax(m, x[r * cols + c]);
        for (int64_t c = 0; c < cols; ++c) { y[r * cols + c] = std::exp(x[r * cols + c] - m); s += y[r * cols + c]; }
        for (int64_t c = 0; c < cols; ++c) y[r * cols + c] /= s;
    }
}
"""


class SoftmaxKernel:
    def __init__(self, lib):
        self.lib = lib

    def __call__(self, x):
        y = torch.empty_like(x)
        self.lib.softmax(x, y, x.shape[0], x.shape[1])
        return y


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = SoftmaxKernel(cpp(SOURCE))

    def forward(self, x):
        return self.kernel(x)
