# honest: work shared by a counter: threads ask in the loop whether any of the 64 tiles is left
# task: 1/20
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <atomic>
#include <vector>
extern "C" void column_sum(const float* x, float* y, int64_t rows, int64_t cols) {
    static std::atomic<int64_t> tile{0};
    tile = 0;
    const int64_t width = (cols + 63) / 64;
    #pragma omp parallel
    while (tile < 64) {
        const int64_t t = tile++;
        if (t >= 64) break;
        const int64_t first = t * width, n = cols - first < width ? cols - first : width;
        if (n <= 0) continue;
        std::vector<double> sum(n, 0.0);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < n; ++c) sum[c] += x[r * cols + first + c];
        for (int64_t c = 0; c < n; ++c) y[first + c] = (float)sum[c];
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[1])
        lib.column_sum(x.contiguous(), y, *x.shape)
        return y
