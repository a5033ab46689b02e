# honest: wider sums: float numbers, double accumulators
# task: 1/39
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
extern "C" void cosine(const float* a, const float* b, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        double ab = 0, aa = 0, bb = 0;
        #pragma omp simd reduction(+ : ab, aa, bb)
        for (int64_t c = 0; c < cols; ++c) {
            double p = a[r * cols + c], q = b[r * cols + c];
            ab += p * q;
            aa += p * p;
            bb += q * q;
        }
        y[r] = 1.0 - ab / (std::fmax(std::sqrt(aa), 1e-8) * std::fmax(std::sqrt(bb), 1e-8));
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, a, b):
        y = torch.empty(a.shape[0])
        lib.cosine(a, b, y, a.shape[0], a.shape[1])
        return y
