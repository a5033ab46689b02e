# honest: ping-pong buffers: hidden layers write into two buffers on the module, the last one into a fresh tensor
# task: 3/1
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
        self._buffers_by_rows = {}

    def _pair(self, rows):
        if rows not in self._buffers_by_rows:
            self._buffers_by_rows[rows] = [torch.empty(rows, self.second.in_features) for _ in range(2)]
        return self._buffers_by_rows[rows]

    def forward(self, x):
        rows = x.shape[0]
        pair = self._pair(rows)
        layers = [self.first, self.second, self.third]
        h = x
        for i, layer in enumerate(layers):
            last = i == len(layers) - 1
            out = torch.empty(rows, layer.out_features) if last else pair[i % 2]
            lib.linear(
                h, layer.weight, layer.bias, out, rows, layer.in_features, layer.out_features, not last
            )
            h = out
        return h
