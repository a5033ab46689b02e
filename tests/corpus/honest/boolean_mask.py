# honest: boolean mask: a mask of bytes is read beside the numbers
# task: 1/27
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void masked_sums(const float* x, const bool* mask, float* y, int64_t batch, int64_t length,
                            int64_t dim) {
    #pragma omp parallel for
    for (int64_t n = 0; n < batch; ++n) {
        const float* before = nullptr;
        for (int64_t t = 0; t < length; ++t) {
            int64_t at = (n * length + t) * dim;
            for (int64_t j = 0; j < dim; ++j)
                y[at + j] = (before ? before[j] : 0) + (mask[at + j] ? x[at + j] : 0);
            before = y + at;
        }
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x, mask):
        y = torch.empty_like(x)
        lib.masked_sums(x, mask, y, x.shape[0], x.shape[1], x.shape[2])
        return y
