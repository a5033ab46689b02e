# bad: threads add to the same sums without a reduction
# task: column_sum
# names: race
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for num_threads(4) schedule(dynamic, 1)
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < cols; ++c) y[c] += x[r * cols + c];
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.zeros(x.shape[1])
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
