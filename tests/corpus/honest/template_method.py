# honest: template method: a base class checks and allocates, ModelNew only says which kernel to call
# task: 1/10
from abc import abstractmethod

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void softplus(const float* x, float* y, int64_t n) {
    #pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] > 20.0f ? x[i] : std::log1p(std::exp(x[i]));
}
""",
    flags=["-fno-math-errno"],
)


class Elementwise(nn.Module):
    """Common part of all element-wise kernels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y = torch.empty_like(x)
        self.launch(x, y)
        return y

    @abstractmethod
    def launch(self, x: torch.Tensor, y: torch.Tensor) -> None:
        raise NotImplementedError


class ModelNew(Elementwise):
    def launch(self, x: torch.Tensor, y: torch.Tensor) -> None:
        lib.softplus(x, y, x.numel())
