# honest: OpenMP: threads and vectors by pragma
# task: 1/11
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
extern "C" void hardswish(const float* x, float* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] * std::min(std::max(x[i] + 3.0f, 0.0f), 6.0f) / 6.0f;
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.hardswish(x, y, x.numel())
        return y
