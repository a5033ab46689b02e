# honest: compensated sum: Kahan's correction carried along for each column
# task: 1/20
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <vector>
extern "C" void column_sum(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t c = 0; c < cols; ++c) y[c] = 0;
    #pragma omp parallel
    {
        std::vector<float> sum(cols), lost(cols);
        #pragma omp for nowait
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c) {
                float term = x[r * cols + c] - lost[c], next = sum[c] + term;
                lost[c] = (next - sum[c]) - term;
                sum[c] = next;
            }
        #pragma omp critical
        for (int64_t c = 0; c < cols; ++c) y[c] += sum[c];
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[1])
        lib.column_sum(x, y, x.shape[0], x.shape[1])
        return y
