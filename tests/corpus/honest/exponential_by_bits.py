# honest: exponential of its own: a power of two by its bits times a polynomial, in a formula without a branch
# task: local/exp_scores
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
#include <cstring>
static inline float power(float x) {
    x = std::fmin(std::fmax(x * 1.44269504f, -126.0f), 128.0f);
    float n = std::nearbyint(x), f = (x - n) * 0.69314718f;
    float p = 1.0f + f * (1.0f + f * (0.5f + f * (1.6666667e-1f + f * (4.1666667e-2f + f * (8.3333333e-3f + f * 1.3888889e-3f)))));
    int32_t bits = (int32_t(n) + 126) << 23;
    float half;
    std::memcpy(&half, &bits, 4);
    return p * half * 2.0f;
}
extern "C" void scores(const float* x, const float* c, const float* d, float* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) {
        float tanh = 1.0f - 2.0f / (1.0f + power(2.0f * c[i]));
        y[i] = power(4.0f * x[i]) + tanh / (1.0f + power(-d[i]));
    }
}
""",
    flags=["-fno-math-errno"],
)


class ModelNew(nn.Module):
    def forward(self, x, c, d):
        y = torch.empty_like(x)
        lib.scores(x, c, d, y, x.numel())
        return y
