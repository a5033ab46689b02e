# honest: OpenMP tasks: a taskloop over blocks of rows, and a scan of each row in two passes over blocks
# task: 1/25
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <omp.h>
#include <alloca.h>
// running sums of n numbers: totals of blocks first, then each block from its offset
static void scan_row(const float* x, float* y, int64_t n) {
    const int64_t B = 64, blocks = (n + B - 1) / B;
    double* offset = (double*)alloca(sizeof(double) * (blocks + 1));
    offset[0] = 0;
    for (int64_t b = 0; b < blocks; ++b) {
        double s = 0;
        int64_t end = (b + 1) * B < n ? (b + 1) * B : n;
        for (int64_t i = b * B; i < end; ++i) s += x[i];
        offset[b + 1] = offset[b] + s;
    }
    for (int64_t b = 0; b < blocks; ++b) {
        double s = offset[b];
        int64_t end = (b + 1) * B < n ? (b + 1) * B : n;
        for (int64_t i = b * B; i < end; ++i) y[i] = (float)(s += x[i]);
    }
}
extern "C" void cumsum(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel
    #pragma omp single
    {
        #pragma omp taskloop grainsize(128) default(none) shared(x, y) firstprivate(rows, cols)
        for (int64_t r = 0; r < rows; ++r) scan_row(x + r * cols, y + r * cols, cols);
    }
}
""")


class ModelNew(nn.Module):
    """torch.cumsum(x, dim=1), with our own scan instead of at::cumsum."""

    @torch.no_grad()
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.ndim == 2, "expects a matrix"
        y = torch.empty(x.size(), dtype=x.dtype)
        lib.cumsum(x.contiguous(), y, x.size(0), x.size(1))
        return y
