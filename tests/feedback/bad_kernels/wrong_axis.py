# bad: softmax of the columns instead of the rows
# task: softmax
# names: axis
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t c = 0; c < cols; ++c) {
        float top = x[c], sum = 0;
        for (int64_t r = 1; r < rows; ++r) top = std::max(top, x[r * cols + c]);
        for (int64_t r = 0; r < rows; ++r) sum += y[r * cols + c] = std::exp(x[r * cols + c] - top);
        for (int64_t r = 0; r < rows; ++r) y[r * cols + c] /= sum;
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
