# honest: probabilities: logarithms of the library, one row after the other
# task: local/row_entropy
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void entropy(const float* p, float* y, int64_t rows, int64_t n) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* q = p + r * n;
        float sum = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < n; ++i) sum -= q[i] * std::log(q[i]);
        y[r] = sum;
    }
}
""",
    flags=["-ffast-math"],
)


class ModelNew(nn.Module):
    def forward(self, p):
        y = torch.empty(p.shape[0])
        lib.entropy(p, y, p.shape[0], p.shape[1])
        return y
