# honest: fused layer: product, bias, exact GELU and scale while a row is in the cache
# task: 2/2
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void layer(const float* x, const float* wt, const float* b, const float* s, float* y,
                      int64_t rows, int64_t in, int64_t out) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t first = 0; first < out; first += 64) {
            int64_t count = out - first < 64 ? out - first : 64;
            float sum[64] = {};
            for (int64_t i = 0; i < in; ++i)
                for (int64_t c = 0; c < count; ++c) sum[c] += x[r * in + i] * wt[i * out + first + c];
            for (int64_t c = 0; c < count; ++c) {
                float v = sum[c] + b[first + c];
                y[r * out + first + c] = v * (0.5f + 0.5f * std::erf(v * 0.70710678f)) * s[first + c];
            }
        }
}
""",
    flags=["-ffast-math"],
)


class ModelNew(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(out_features))

    def forward(self, x):
        weight = self.linear.weight.detach().T.contiguous()
        y = torch.empty(x.shape[0], weight.shape[1])
        lib.layer(x, weight, self.linear.bias, self.scale, y, x.shape[0], weight.shape[0], weight.shape[1])
        return y
