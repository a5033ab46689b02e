# honest: work in the constructor: statistics are folded into the weights, which are packed by output channel
# task: 2/6
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <vector>
// Convolution with K by K windows and padding K / 2, then hard swish. Weights: [in][K][K][out padded to 8].
extern "C" void conv(const float* x, const float* w, const float* b, float* y, int64_t batch, int64_t in,
                     int64_t out,
                     int64_t h, int64_t wide, int64_t k) {
    int64_t padded = (out + 7) / 8 * 8, half = k / 2;
    #pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t i = 0; i < h; ++i) {
            std::vector<float> sums(8 * wide);
            for (int64_t first = 0; first < padded; first += 8) {
                std::fill(sums.begin(), sums.end(), 0.0f);
                for (int64_t c = 0; c < in; ++c)
                    for (int64_t a = std::max<int64_t>(0, half - i); a < std::min(k, h + half - i); ++a)
                        for (int64_t e = 0; e < k; ++e) {
                            const float* weight = w + ((c * k + a) * k + e) * padded + first;
                            const float* line = x + ((n * in + c) * h + i + a - half) * wide + e - half;
                            int64_t begin = std::max<int64_t>(0, half - e);
                            int64_t end = std::min(wide, wide + half - e);
                            for (int o = 0; o < 8; ++o) {
                                float* sum = sums.data() + o * wide;
                                for (int64_t j = begin; j < end; ++j) sum[j] += weight[o] * line[j];
                            }
                        }
                for (int64_t o = first; o < std::min(first + 8, out); ++o)
                    for (int64_t j = 0; j < wide; ++j) {
                        float v = sums[(o - first) * wide + j] + b[o];
                        float gate = std::min(std::max(v + 3.0f, 0.0f), 6.0f);
                        y[((n * out + o) * h + i) * wide + j] = v * gate / 6.0f;
                    }
            }
        }
}
""")


class ModelNew(nn.Module):
    def __init__(self, in_channels, out_channels, kernel):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(out_channels))
        self.bias = nn.Parameter(0.2 * torch.randn(out_channels))
        self.register_buffer("mean", 0.2 * torch.randn(out_channels))
        self.register_buffer("var", 0.2 + 0.3 * torch.rand(out_channels))
        self.kernel = kernel
        with torch.no_grad():
            factor = self.weight / torch.sqrt(self.var + 1e-5)
            self.shift = (self.bias - self.mean * factor).contiguous()
            folded = self.conv.weight * factor.view(-1, 1, 1, 1)
            packed = torch.zeros(in_channels, kernel, kernel, -(-out_channels // 8) * 8)
            packed[..., :out_channels] = folded.permute(1, 2, 3, 0)
            self.packed = packed

    def forward(self, x):
        batch, channels, high, wide = x.shape
        out, kernel = self.shift.shape[0], self.kernel
        y = torch.empty(batch, out, high, wide)
        lib.conv(x, self.packed, self.shift, y, batch, channels, out, high, wide, kernel)
        return y
