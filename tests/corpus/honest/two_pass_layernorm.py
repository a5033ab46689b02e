# honest: two passes: the mean first, then the squared distances from it
# task: 2/7
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
static void row_norm(float* row, const float* w, const float* b, int64_t cols) {
    float sum = 0, square = 0;
    #pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < cols; ++c) sum += row[c];
    float mean = sum / cols;
    #pragma omp simd reduction(+ : square)
    for (int64_t c = 0; c < cols; ++c) square += (row[c] - mean) * (row[c] - mean);
    float scale = 1.0f / std::sqrt(square / cols + 1e-5f);
    for (int64_t c = 0; c < cols; ++c) row[c] = (row[c] - mean) * scale * w[c] + b[c];
}

extern "C" void add_norm(const float* x, const float* r, const float* w, const float* b, float* y,
                         int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t i = 0; i < rows; ++i) {
        for (int64_t c = 0; c < cols; ++c) y[i * cols + c] = x[i * cols + c] + r[i * cols + c];
        row_norm(y + i * cols, w, b, cols);
    }
}
""")


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x, residual):
        y = torch.empty_like(x)
        lib.add_norm(x, residual, self.weight, self.bias, y, x.shape[0], x.shape[1])
        return y
