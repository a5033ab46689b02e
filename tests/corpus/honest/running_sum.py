# honest: scan: running sums from the end, four rows at a time so that they do not wait for each other
# task: 1/26
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void reverse_sums(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; r += 4) {
        int64_t count = rows - r < 4 ? rows - r : 4;
        float sum[4] = {};
        for (int64_t c = cols - 1; c >= 0; --c)
            for (int64_t k = 0; k < count; ++k) {
                sum[k] += x[(r + k) * cols + c];
                y[(r + k) * cols + c] = sum[k];
            }
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.reverse_sums(x, y, x.shape[0], x.shape[1])
        return y
