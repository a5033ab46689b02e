# honest: several outputs: mean and spread in one pass over each row
# task: local/mean_and_spread
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
extern "C" void moments(const float* x, float* mean, float* spread, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* row = x + r * cols;
        float sum = 0, square = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < cols; ++c) sum += row[c];
        float m = sum / cols;
        #pragma omp simd reduction(+ : square)
        for (int64_t c = 0; c < cols; ++c) square += (row[c] - m) * (row[c] - m);
        mean[r] = m;
        spread[r] = std::sqrt(square / cols + 1e-6f);
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        mean, spread = torch.empty(x.shape[0]), torch.empty(x.shape[0])
        lib.moments(x, mean, spread, x.shape[0], x.shape[1])
        return mean, spread
