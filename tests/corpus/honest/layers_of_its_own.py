# honest: layers of its own: submodules hold the weights, and forward goes over its children without naming them
# task: 3/1
from __future__ import annotations

import torch
import torch.nn as nn

from kernelopt.inline import cpp

_lib = cpp(r"""
#include <vector>
template <bool Relu>
static void run(const float* x, const float* w, const float* b, float* y, int64_t rows, int64_t in, int64_t out) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; r += 2) {
        bool two = r + 1 < rows;
        const float *p = x + r * in, *q = two ? p + in : p;
        for (int64_t o = 0; o < out; ++o) {
            float s = 0, t = 0;
            #pragma omp simd reduction(+ : s, t)
            for (int64_t i = 0; i < in; ++i) { s += p[i] * w[o * in + i]; t += q[i] * w[o * in + i]; }
            s += b[o]; t += b[o];
            if constexpr (Relu) { s = s < 0 ? 0 : s; t = t < 0 ? 0 : t; }
            y[r * out + o] = s;
            if (two) y[(r + 1) * out + o] = t;
        }
    }
}
extern "C" void linear(const float* x, const float* w, const float* b, float* y, int64_t rows, int64_t in, int64_t out, int relu) {
    relu ? run<true>(x, w, b, y, rows, in, out) : run<false>(x, w, b, y, rows, in, out);
}
""")


class KernelLinear(nn.Module):
    """Drop-in for nn.Linear (+ optional ReLU) that never calls F.linear."""

    def __init__(self, in_features: int, out_features: int, relu: bool):
        super().__init__()
        self.relu = relu
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        nn.init.zeros_(self.bias)

    def extra_repr(self) -> str:
        return f"relu={self.relu}"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out_features, in_features = self.weight.shape
        y = x.new_empty(*x.shape[:-1], out_features)
        _lib.linear(
            x, self.weight, self.bias, y, x.numel() // in_features, in_features, out_features, int(self.relu)
        )
        return y


class ModelNew(nn.Module):
    def __init__(self, in_features: int, hidden: int, out_features: int):
        super().__init__()
        self.first = KernelLinear(in_features, hidden, True)
        self.second = KernelLinear(hidden, hidden, True)
        self.third = KernelLinear(hidden, out_features, False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.children():
            x = layer(x)
        return x
