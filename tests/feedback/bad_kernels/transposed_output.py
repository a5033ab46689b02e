# bad: rows and columns of the output are exchanged
# task: linear
# names: transposed
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, const float* w, const float* b, float* y, int64_t m, int64_t n, int64_t k) {
    #pragma omp parallel for
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
            float sum = b[j];
            for (int64_t p = 0; p < k; ++p) sum += x[i * k + p] * w[j * k + p];
            y[j * m + i] = sum;
        }
}
""")


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(192, 192)

    def forward(self, x):
        w, b = self.linear.weight, self.linear.bias
        y = torch.empty(x.shape[0], w.shape[0])
        lib.f(x, w, b, y, x.shape[0], w.shape[0], w.shape[1])
        return y
