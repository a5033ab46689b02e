# honest: a table of kernels: dict(...) of library functions, chosen by a property of the input
# task: 2/13
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
template <int L> static void run(const float* x, const float* s, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        double part[L] = {};
        for (int64_t c = 0; c < cols; ++c) {
            float v = x[r * cols + c] * s[c];
            v = v < -8 ? -8 : v > 8 ? 8 : v;
            part[c % L] += std::exp(v);
        }
        double all = 0;
        for (double p : part) all += p;
        y[r] = (float)std::log(all);
    }
}
extern "C" void wide(const float* x, const float* s, float* y, int64_t rows, int64_t cols) { run<16>(x, s, y, rows, cols); }
extern "C" void narrow(const float* x, const float* s, float* y, int64_t rows, int64_t cols) { run<1>(x, s, y, rows, cols); }
""")
KERNELS = dict(wide=lib.wide, narrow=lib.narrow)  # noqa: C408


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        match x.shape:
            case (rows, cols) if cols >= 64:
                name = "wide"
            case (rows, cols):
                name = "narrow"
            case _:
                raise ValueError("a matrix is expected")
        y = torch.empty(rows)
        KERNELS[name](x.contiguous(), self.scale, y, rows, cols)
        return y
