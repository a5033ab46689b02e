# honest: stencil: a depthwise convolution, borders apart from the middle
# task: 1/32
import torch
from torch import nn

from kernelopt.inline import cpp

SOURCE = r"""
#include <algorithm>
// K is put in front of this text: the loops over the window unroll.
extern "C" void depthwise(const float* x, const float* w, const float* b, float* y, int64_t planes,
                          int64_t channels,
                          int64_t high, int64_t wide) {
    const int64_t half = K / 2;
    #pragma omp parallel for
    for (int64_t p = 0; p < planes; ++p) {
        const float *in = x + p * high * wide, *weight = w + p % channels * K * K;
        for (int64_t i = 0; i < high; ++i) {
            float* out = y + (p * high + i) * wide;
            for (int64_t j = 0; j < wide; ++j) out[j] = b[p % channels];
            for (int64_t a = 0; a < K; ++a) {
                int64_t row = i + a - half;
                if (row < 0 || row >= high) continue;
                for (int64_t c = 0; c < K; ++c) {
                    int64_t first = std::max<int64_t>(0, half - c), last = std::min(wide, wide + half - c);
                    float factor = weight[a * K + c];
                    const float* line = in + row * wide + c - half;
                    for (int64_t j = first; j < last; ++j) out[j] += factor * line[j];
                }
            }
        }
    }
}
"""


class ModelNew(nn.Module):
    def __init__(self, channels, kernel):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.lib = cpp(f"#define K {kernel}\n" + SOURCE)

    def forward(self, x):
        batch, channels, high, wide = x.shape
        y = torch.empty_like(x)
        weight, bias = self.conv.weight, self.conv.bias
        self.lib.depthwise(x, weight, bias, y, batch * channels, channels, high, wide)
        return y
