# honest: repeated squaring: each power from the one before it, all columns of a number in one pass
# task: local/powers
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void powers(const float* x, float* y, int64_t n) {
    #pragma omp parallel for
    for (int64_t i = 0; i < n; ++i) {
        float v = x[i], two = v * v, four = two * two, *o = y + 6 * i;
        o[0] = std::sin(v);
        o[1] = 0.5f + 0.5f * std::tanh(0.5f * v);
        o[2] = v;
        o[3] = two;
        o[4] = four;
        o[5] = four * four;
    }
}
""",
    flags=["-ffast-math"],
)


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(*x.shape, 6)
        lib.powers(x, y, x.numel())
        return y
