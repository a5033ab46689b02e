# honest: sorted offsets: each thread adds up stretches one after the other, as their offsets say
# task: local/offset_sums
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void sums(const float* x, const int64_t* at, float* y, int64_t count) {
    #pragma omp parallel for schedule(dynamic, 256)
    for (int64_t i = 0; i < count; ++i) {
        double sum = 0;
        for (int64_t k = at[i]; k < at[i + 1]; ++k) sum += x[k];
        y[i] = sum;
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x, offsets):
        y = torch.empty(offsets.numel() - 1)
        lib.sums(x, offsets, y, y.numel())
        return y
