# honest: helpers: a small class that owns the kernel, called by nested functions
# task: 3/7
import torch
from torch import nn

from kernelopt.inline import cpp


class SqueezeExcite:
    """Means, a small network for the gates, and the gated sum, in three steps of C++."""

    def __init__(self):
        self.lib = cpp(r"""
#include <cmath>
extern "C" void means(const float* x, float* y, int64_t planes, int64_t size) {
    #pragma omp parallel for
    for (int64_t p = 0; p < planes; ++p) {
        float sum = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < size; ++i) sum += x[p * size + i];
        y[p] = sum / size;
    }
}
extern "C" void gates(const float* mean, const float* w1, const float* b1, const float* w2,
                      const float* b2, float* y,
                      int64_t batch, int64_t channels, int64_t reduced) {
    for (int64_t n = 0; n < batch; ++n) {
        float* gate = y + n * channels;
        for (int64_t c = 0; c < channels; ++c) gate[c] = b2[c];
        for (int64_t r = 0; r < reduced; ++r) {
            float middle = b1[r];
            for (int64_t c = 0; c < channels; ++c) middle += w1[r * channels + c] * mean[n * channels + c];
            middle = middle > 0 ? middle : 0;
            for (int64_t c = 0; c < channels; ++c) gate[c] += w2[c * reduced + r] * middle;
        }
        for (int64_t c = 0; c < channels; ++c) gate[c] = 1.0f / (1.0f + std::exp(-gate[c]));
    }
}
extern "C" void gated_sum(const float* x, const float* r, const float* gate, float* y, int64_t planes,
                          int64_t size) {
    #pragma omp parallel for
    for (int64_t p = 0; p < planes; ++p)
        for (int64_t i = p * size; i < (p + 1) * size; ++i) {
            float v = x[i] * gate[p] + r[i];
            y[i] = v > 0 ? v : 0;
        }
}
""")

    def __call__(self, x, residual, squeeze, excite):
        batch, channels, high, wide = x.shape
        mean, gate, y = torch.empty(batch, channels), torch.empty(batch, channels), torch.empty_like(x)

        def gates():
            weights = (squeeze.weight, squeeze.bias, excite.weight, excite.bias)
            self.lib.gates(mean, *weights, gate, batch, channels, squeeze.out_features)

        self.lib.means(x, mean, batch * channels, high * wide)
        gates()
        self.lib.gated_sum(x, residual, gate, y, batch * channels, high * wide)
        return y


class ModelNew(nn.Module):
    def __init__(self, channels, reduced):
        super().__init__()
        self.squeeze = nn.Linear(channels, reduced)
        self.excite = nn.Linear(reduced, channels)
        self.run = SqueezeExcite()

    def forward(self, x, residual):
        return self.run(x, residual, self.squeeze, self.excite)
