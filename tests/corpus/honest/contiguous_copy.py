# honest: layout made plain: a strided input is copied with contiguous() first
# task: local/transposed_gelu
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void half_gelu(const float* x, float* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] * (0.25f + 0.25f * std::erf(x[i] * 0.70710678f));
}
""",
    flags=["-ffast-math"],
)


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        lib.half_gelu(x, y, x.numel())
        return y
