# bad: weights are rounded to bfloat16
# task: linear
# names: bfloat16
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

#include <cstring>

static float cut(float v) {
    uint32_t bits;
    std::memcpy(&bits, &v, 4);
    bits = (bits + 0x8000u) & 0xffff0000u;
    std::memcpy(&v, &bits, 4);
    return v;
}

extern "C" void f(const float* x, const float* w, const float* b, float* y, int64_t m, int64_t n, int64_t k) {
    #pragma omp parallel for
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
            float sum = b[j];
            for (int64_t p = 0; p < k; ++p) sum += x[i * k + p] * cut(w[j * k + p]);
            y[i * n + j] = sum;
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
