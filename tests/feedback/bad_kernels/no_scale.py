# bad: the learned scale of each column is not applied
# task: rms_norm
# names: scale|parameters that nothing reads
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* a = x + r * cols;
        float sum = 0;
        for (int64_t c = 0; c < cols; ++c) sum += a[c] * a[c];
        float scale = 1.0f / std::sqrt(sum / cols + 1e-5f);
        for (int64_t c = 0; c < cols; ++c) y[r * cols + c] = a[c] * scale;
    }
}
""")


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(300) + 0.5)

    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
