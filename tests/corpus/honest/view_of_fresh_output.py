# honest: view: the result is a reshaped view of a fresh flat buffer
# task: 2/19
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void affine_relu(const float* x, const float* a, const float* b, float* y, int64_t batch,
                            int64_t channels,
                            int64_t size) {
    const int64_t tile = 64;
    #pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t first = 0; first < size; first += tile)
            for (int64_t c = 0; c < channels; ++c)
                for (int64_t i = first; i < first + tile && i < size; ++i) {
                    float v = x[(n * channels + c) * size + i] * a[c] + b[c];
                    y[(n * size + i) * channels + c] = v > 0 ? v : 0;
                }
}
""")


class ModelNew(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(channels, 1, 1))
        self.shift = nn.Parameter(0.5 * torch.randn(channels, 1, 1))

    def forward(self, x):
        batch, channels, high, wide = x.shape
        flat = torch.empty(x.numel())
        lib.affine_relu(x, self.scale, self.shift, flat, batch, channels, high * wide)
        return flat.view(batch, high, wide, channels)
