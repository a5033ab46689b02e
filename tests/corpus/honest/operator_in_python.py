# honest: operator of one's own in Python: torch.library.custom_op around a call of the kernel
# task: 1/9
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void silu(const float* x, float* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] / (1.0f + std::exp(-x[i]));
}
""",
    flags=["-fno-math-errno"],
)


@torch.library.custom_op("honest_python::silu", mutates_args=())
def silu(x: torch.Tensor) -> torch.Tensor:
    y = torch.empty_like(x)
    lib.silu(x, y, x.numel())
    return y


@silu.register_fake
def _(x):
    return torch.empty_like(x)


class ModelNew(nn.Module):
    def forward(self, x):
        return torch.ops.honest_python.silu(x.contiguous())
