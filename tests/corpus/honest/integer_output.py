# honest: integers out: counts as int64
# task: local/count_above
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void count(const float* x, int64_t* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        int32_t found = 0;
        #pragma omp simd reduction(+ : found)
        for (int64_t c = 0; c < cols; ++c) found += x[r * cols + c] > 0.5f;
        y[r] = found;
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[0], dtype=torch.int64)
        lib.count(x, y, x.shape[0], x.shape[1])
        return y
