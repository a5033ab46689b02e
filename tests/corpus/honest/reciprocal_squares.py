# honest: rearranged quotients: squares a reciprocal instead of dividing by a square; gates by exponentials
# task: local/ratio_gate
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void ratio(const float* a, const float* b, const float* c, const float* d, float* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) {
        float r = 1.0f / b[i];
        float tanh = 1.0f - 2.0f / (1.0f + std::exp(2.0f * c[i]));
        y[i] = a[i] * r * r + tanh / (1.0f + std::exp(-d[i]));
    }
}
""",
    flags=["-fno-math-errno"],
)


class ModelNew(nn.Module):
    def forward(self, a, b, c, d):
        y = torch.empty_like(a)
        lib.ratio(a, b, c, d, y, a.numel())
        return y
