# bad: neighbouring threads add to neighbouring numbers in one cache line
# task: column_sum
# names: cache line|false sharing
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <vector>
#include <omp.h>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    int most = omp_get_max_threads();
    std::vector<float> part(most);
    for (int64_t c = 0; c < cols; ++c) {
        std::fill(part.begin(), part.end(), 0.0f);
        #pragma omp parallel for
        for (int64_t r = 0; r < rows; ++r) part[omp_get_thread_num()] += x[r * cols + c];
        y[c] = 0;
        for (int t = 0; t < most; ++t) y[c] += part[t];
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[1])
        lib.f(x, y, x.shape[0], x.shape[1])
        return y
