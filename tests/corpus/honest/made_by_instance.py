# honest: an object for the kernels: a class compiles in its constructor and wraps each function in a method
# task: 1/21
from __future__ import annotations

import types

import torch
from torch import Tensor, nn

from kernelopt.inline import cpp


class MeanAbs:
    """Callable wrapper. (cuBLAS, MKL and torch.mean are not involved.)"""

    __slots__ = ("lib",)

    def __init__(self) -> None:
        self.lib = cpp(r"""
#include <cmath>
#include <cstring>
extern "C" void mean_abs(const float* x, float* y, int64_t batch, int64_t length, int64_t dim) {
    #pragma omp parallel for schedule(static, 1)
    for (int64_t b = 0; b < batch; ++b) {
        double sums[256];
        for (int64_t d0 = 0; d0 < dim; d0 += 256) {
            const int64_t n = dim - d0 < 256 ? dim - d0 : 256;
            std::memset(sums, 0, sizeof sums);
            for (int64_t l = 0; l < length; ++l)
                for (int64_t d = 0; d < n; ++d) sums[d] += std::fabs(x[(b * length + l) * dim + d0 + d]);
            for (int64_t d = 0; d < n; ++d) y[b * dim + d0 + d] = (float)(sums[d] / length);
        }
    }
}
""")

    def __call__(self, x: Tensor) -> Tensor:
        batch, length, dim = x.shape
        out = torch.empty((batch, dim), dtype=x.dtype, device=x.device)
        self.lib.mean_abs(x, out, batch, length, dim)
        return out


OPS = types.SimpleNamespace(mean_abs=MeanAbs())


class ModelNew(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return OPS.mean_abs(x.contiguous())
