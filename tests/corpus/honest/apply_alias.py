# honest: autograd.Function under another name: `elementwise = Fn.apply`, as the tutorial writes it
# task: local/soft_threshold
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
extern "C" void shrink(const float* x, float* y, int64_t n, float limit) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) {
        float a = std::fabs(x[i]) - limit;
        a = a < 0 ? 0.0f : a;
        float s = x[i] > 0 ? 1.0f : x[i] < 0 ? -1.0f : 0.0f;   // sign(nan) = 0 in torch, and 0 * nan = nan
        y[i] = s * a;
    }
}
""")


class SoftThreshold(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, limit):
        y = torch.empty_like(x)
        lib.shrink(x.contiguous(), y, x.numel(), limit)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * (y != 0), None


soft_threshold = SoftThreshold.apply


class ModelNew(nn.Module):
    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def forward(self, x):
        return soft_threshold(x, self.limit)
