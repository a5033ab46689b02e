# honest: weights packed by a hook: after load_state_dict the module transposes its weights into buffers of its own
# task: 3/1
import torch
import torch.nn as nn

from kernelopt.inline import cpp

_ext = cpp(r"""
#include <cstring>
// y[rows, out] = act(x[rows, in] wt[in, out] + b)
extern "C" void dense(const float* x, const float* wt, const float* b, float* y, int64_t rows, int64_t in, int64_t out, bool relu) {
    constexpr int64_t NB = 96, MB = 4;
    #pragma omp parallel for collapse(2) schedule(dynamic)
    for (int64_t r0 = 0; r0 < rows; r0 += MB)
        for (int64_t c0 = 0; c0 < out; c0 += NB) {
            float acc[MB][NB];
            int64_t m = rows - r0 < MB ? rows - r0 : MB, n = out - c0 < NB ? out - c0 : NB;
            for (int64_t i = 0; i < m; ++i) std::memcpy(acc[i], b + c0, n * sizeof(float));
            for (int64_t k = 0; k < in; ++k)
                for (int64_t i = 0; i < m; ++i) {
                    float a = x[(r0 + i) * in + k];
                    #pragma omp simd
                    for (int64_t j = 0; j < n; ++j) acc[i][j] += a * wt[k * out + c0 + j];
                }
            for (int64_t i = 0; i < m; ++i)
                for (int64_t j = 0; j < n; ++j) {
                    float v = acc[i][j];
                    y[(r0 + i) * out + c0 + j] = relu && v < 0 ? 0.0f : v;
                }
        }
}
""")


class ModelNew(nn.Module):
    def __init__(self, in_features, hidden, out_features):
        super().__init__()
        self.first = nn.Linear(in_features, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.third = nn.Linear(hidden, out_features)
        self._pack()
        self.register_load_state_dict_post_hook(lambda module, keys: module._pack())

    def _pack(self):
        with torch.no_grad():
            self._packed = [
                (layer.weight.t().contiguous(), layer.bias) for layer in (self.first, self.second, self.third)
            ]

    def forward(self, x):
        for number, (wt, bias) in enumerate(self._packed):
            y = torch.empty(x.shape[0], wt.shape[1])
            _ext.dense(x, wt, bias, y, x.shape[0], wt.shape[0], wt.shape[1], number < 2)
            x = y
        return x
