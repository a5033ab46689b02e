# honest: several kernels: a product, then a normalisation of its rows, from two builds
# task: 2/18
import torch
from torch import nn

from kernelopt.inline import cpp

product = cpp(
    r"""
// y = x + x wT + b, with w packed as one line for each input feature; four rows at a time.
extern "C" void linear(const float* x, const float* wt, const float* b, float* y, int64_t rows, int64_t dim) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; r += 4) {
        int64_t count = rows - r < 4 ? rows - r : 4;
        for (int64_t first = 0; first < dim; first += 64) {
            int64_t width = dim - first < 64 ? dim - first : 64;
            float sum[4][64] = {};
            for (int64_t i = 0; i < dim; ++i)
                for (int64_t k = 0; k < count; ++k) {
                    float factor = x[(r + k) * dim + i];
                    const float* line = wt + i * dim + first;
                    if (width == 64)
                        for (int64_t c = 0; c < 64; ++c) sum[k][c] += factor * line[c];
                    else
                        for (int64_t c = 0; c < width; ++c) sum[k][c] += factor * line[c];
                }
            for (int64_t k = 0; k < count; ++k)
                for (int64_t c = 0; c < width; ++c)
                    y[(r + k) * dim + first + c] = x[(r + k) * dim + first + c] + sum[k][c] + b[first + c];
        }
    }
}
""",
    name="product",
)
norm = cpp(
    r"""
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
extern "C" void layer_norm(float* y, const float* w, const float* b, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) row_norm(y + r * cols, w, b, cols);
}
""",
    name="norm",
)


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.linear = nn.Linear(dim, dim)
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x):
        rows, dim = x.shape
        packed = self.linear.weight.t().contiguous()
        y = torch.empty_like(x)
        product.linear(x, packed, self.linear.bias, y, rows, dim)
        norm.layer_norm(y, self.weight, self.bias, rows, dim)
        return y
