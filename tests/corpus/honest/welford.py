# honest: Welford's method: mean and variance in one pass, sixteen of each side by side, merged at the end
# task: 1/16
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
struct Moments { float count = 0, mean = 0, square = 0; };
static Moments merged(Moments a, Moments b) {
    if (b.count == 0) return a;
    float count = a.count + b.count, d = b.mean - a.mean;
    return {count, a.mean + d * b.count / count, a.square + b.square + d * d * a.count * b.count / count};
}
extern "C" void instance_norm(const float* x, const float* w, const float* b, float* y, int64_t batch,
                              int64_t channels, int64_t size) {
    #pragma omp parallel for
    for (int64_t n = 0; n < batch * channels; ++n) {
        const float* in = x + n * size;
        float mean[16] = {}, square[16] = {};
        for (int64_t i = 0; i < size / 16; ++i) {
            float part = 1.0f / (i + 1);
            for (int k = 0; k < 16; ++k) {
                float d = in[i * 16 + k] - mean[k];
                mean[k] += d * part;
                square[k] += d * (in[i * 16 + k] - mean[k]);
            }
        }
        Moments all;
        for (int k = 0; k < 16; ++k) all = merged(all, {(float)(size / 16), mean[k], square[k]});
        for (int64_t i = size / 16 * 16; i < size; ++i) all = merged(all, {1, in[i], 0});
        float scale = w[n % channels] / std::sqrt(all.square / size + 1e-5f);
        for (int64_t i = 0; i < size; ++i) y[n * size + i] = (in[i] - all.mean) * scale + b[n % channels];
    }
}
""")


class ModelNew(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(channels))
        self.bias = nn.Parameter(0.2 * torch.randn(channels))

    def forward(self, x):
        y = torch.empty_like(x)
        batch, channels, high, wide = x.shape
        lib.instance_norm(x, self.weight, self.bias, y, batch, channels, high * wide)
        return y
