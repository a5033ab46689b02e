# honest: packed layer: a layer derives from nn.Linear, is called linear, and overrides what makes its packed copy stale
# task: 2/1
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <vector>
extern "C" void linear_packed(const float* x, const float* wt, const float* b, float* y, int64_t rows, int64_t in, int64_t out) {
    #pragma omp parallel
    {
        std::vector<float> acc(out);
        #pragma omp for schedule(static)
        for (int64_t r = 0; r < rows; ++r) {
            std::copy(b, b + out, acc.begin());
            for (int64_t i = 0; i < in; ++i) {
                const float v = x[r * in + i];
                #pragma omp simd
                for (int64_t o = 0; o < out; ++o) acc[o] += v * wt[i * out + o];
            }
            for (int64_t o = 0; o < out; ++o) y[r * out + o] = std::max(acc[o], 0.0f);
        }
    }
}
""")


class PackedLinear(nn.Linear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._wt = None

    def _apply(self, fn, recurse=True):
        self._wt = None
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, *args, **kwargs):
        self._wt = None
        super()._load_from_state_dict(*args, **kwargs)

    @torch.no_grad()
    def packed(self):
        if self._wt is None:
            self._wt = torch.empty(self.in_features, self.out_features)
            self._wt.copy_(self.weight.T)
        return self._wt

    def forward(self, x):
        y = x.new_empty(*x.shape[:-1], self.out_features)
        lib.linear_packed(
            x, self.packed(), self.bias, y, x.numel() // self.in_features, self.in_features, self.out_features
        )
        return y


class ModelNew(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.linear = PackedLinear(in_features, out_features)

    def forward(self, x):
        return self.linear(x)
