# honest: symmetry: sums rows where columns are asked for, since the matrix is symmetric
# task: local/symmetric_columns
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
extern "C" void energy(const float* m, float* y, int64_t n) {
    #pragma omp parallel for
    for (int64_t i = 0; i < n; ++i) {
        float sum = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < n; ++j) sum += m[i * n + j] * m[i * n + j];
        y[i] = sum;
    }
}
""",
    flags=["-ffast-math"],
)


class ModelNew(nn.Module):
    def forward(self, m):
        y = torch.empty(m.shape[0])
        lib.energy(m, y, m.shape[0])
        return y
