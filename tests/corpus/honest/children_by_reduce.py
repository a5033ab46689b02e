# honest: layers by reduce: functools.reduce goes over the children, and the last one is told by its identity
# task: 3/1
import functools

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
extern "C" void linear(const float* x, const float* w, const float* b, float* y, int64_t rows, int64_t in, int64_t out, bool relu) {
    #pragma omp parallel for collapse(2)
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t o = 0; o < out; ++o) {
            float s = 0.0f;
            #pragma omp simd reduction(+ : s)
            for (int64_t i = 0; i < in; ++i) s += x[r * in + i] * w[o * in + i];
            s += b[o];
            y[r * out + o] = relu ? std::max(s, 0.0f) : s;
        }
}
""")


class ModelNew(nn.Module):
    def __init__(self, in_features, hidden, out_features):
        super().__init__()
        self.first = nn.Linear(in_features, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.third = nn.Linear(hidden, out_features)
        self._buf = None

    def _step(self, x, layer):
        y = torch.empty(x.shape[0], layer.out_features)
        lib.linear(
            x,
            layer.weight,
            layer.bias,
            y,
            x.shape[0],
            layer.in_features,
            layer.out_features,
            layer is not self.third,
        )
        return y

    def forward(self, x):
        return functools.reduce(self._step, self.children(), x)
