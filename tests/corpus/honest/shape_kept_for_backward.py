# honest: shape for the backward: an autograd.Function keeps ctx.shape for a backward kernel of its own
# task: 2/11
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void swiglu(const float* x, float* y, int64_t rows, int64_t h) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < h; ++j) { const float g = x[r * 2 * h + j]; y[r * h + j] = g / (1.0f + std::exp(-g)) * x[r * 2 * h + h + j]; }
}
extern "C" void swiglu_grad(const float* x, const float* g, float* dx, int64_t rows, int64_t h) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < h; ++j) {
            const float a = x[r * 2 * h + j], b = x[r * 2 * h + h + j], s = 1.0f / (1.0f + std::exp(-a)), d = g[r * h + j];
            dx[r * 2 * h + j] = d * b * s * (1.0f + a * (1.0f - s));
            dx[r * 2 * h + h + j] = d * a * s;
        }
}
""",
    flags=["-fno-math-errno"],
)


class SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.shape = x.shape
        ctx.eps = 1e-5
        y = x.new_empty(x.shape[0], x.shape[1] // 2)
        lib.swiglu(x, y, y.shape[0], y.shape[1])
        return y

    @staticmethod
    def backward(ctx, grad):
        dx = torch.empty_like(grad)
        lib.swiglu_grad(ctx.saved_tensors[0], grad.contiguous(), dx, *grad.shape)
        return dx


class ModelNew(nn.Module):
    def forward(self, x):
        return SwiGLU.apply(x.contiguous())
