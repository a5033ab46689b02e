# bad: the framework's own softmax does the work
# task: softmax
# names: framework's own operators
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <cmath>

extern "C" void f(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* a = x + r * cols;
        float* b = y + r * cols;
        float top = a[0], sum = 0;
        for (int64_t c = 1; c < cols; ++c) top = std::max(top, a[c]);
        for (int64_t c = 0; c < cols; ++c) sum += b[c] = std::exp(a[c] - top);
        for (int64_t c = 0; c < cols; ++c) b[c] /= sum;
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0], x.shape[1])
        return torch.softmax(x, dim=1)
