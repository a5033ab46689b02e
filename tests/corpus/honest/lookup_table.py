# honest: lookup table: GELU from cubic pieces fitted when the kernel is loaded, right to 1e-7
# task: 1/8
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
// x * gate(x); the gate is read from 2048 cubic pieces over [-8, 8) and is 0 or 1 outside of it.
static const int pieces = 2048;
static float table[pieces][4];
static double gate(double x) {
    return 0.5 + 0.5 * std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x));
}
__attribute__((constructor)) static void fill() {
    double h = 16.0 / pieces;
    for (int i = 0; i < pieces; ++i) {
        double a = -8 + i * h, y[4];
        for (int k = 0; k < 4; ++k) y[k] = gate(a + k * h / 3);
        double d1 = y[1] - y[0], d2 = y[2] - 2 * y[1] + y[0], d3 = y[3] - 3 * y[2] + 3 * y[1] - y[0];
        table[i][0] = y[0];
        table[i][1] = 3 * (d1 - d2 / 2 + d3 / 3);
        table[i][2] = 9 * (d2 / 2 - d3 / 2);
        table[i][3] = 27 * d3 / 6;
    }
}
extern "C" void gelu(const float* x, float* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) {
        float v = x[i] < -7.999f ? -7.999f : x[i] > 7.999f ? 7.999f : x[i];
        float place = (v + 8.0f) * (pieces / 16);
        int32_t piece = (int32_t)place;
        float t = place - piece;
        const float* p = table[piece];
        y[i] = x[i] * (p[0] + t * (p[1] + t * (p[2] + t * p[3])));
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.gelu(x, y, x.numel())
        return y
