# bad: the sum stops before the element itself
# task: running_sum
# names: inclusive taken for exclusive
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        float sum = 0;
        for (int64_t c = 0; c < cols; ++c) {
            y[r * cols + c] = sum;
            sum += x[r * cols + c];
        }
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
