# honest: quantisation: eight bits by vectors, with the limits
# task: local/to_int8
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>
extern "C" void quantise(const float* x, int8_t* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) {
        float steps = std::nearbyintf(x[i] / 0.05f);
        y[i] = (int8_t)(int)std::min(std::max(steps, -128.0f), 127.0f);
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape, dtype=torch.int8)
        lib.quantise(x, y, x.numel())
        return y
