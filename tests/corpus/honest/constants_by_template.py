# honest: constants in the text: sizes from the constructor are written into the C++ by an f-string
# task: 1/33
import torch
from torch import nn

from kernelopt.inline import cpp


def build(inputs, outputs, kernel, dilation):
    """A dilated convolution for these sizes only."""
    return cpp(f"""
#include <algorithm>
constexpr int64_t IN = {inputs}, OUT = {outputs}, K = {kernel}, GAP = {dilation}, BLOCK = 256;
extern "C" void conv(const float* x, const float* w, const float* b, float* y, int64_t batch,
                     int64_t length) {{
    int64_t size = length - (K - 1) * GAP;
    #pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t first = 0; first < size; first += BLOCK)
            for (int64_t o = 0; o < OUT; o += 4) {{
                int64_t count = std::min(BLOCK, size - first), high = std::min<int64_t>(4, OUT - o);
                float sum[4][BLOCK];
                for (int64_t p = 0; p < high; ++p) std::fill(sum[p], sum[p] + BLOCK, b[o + p]);
                for (int64_t c = 0; c < IN; ++c)
                    for (int64_t k = 0; k < K; ++k) {{
                        const float* line = x + (n * IN + c) * length + first + k * GAP;
                        for (int64_t p = 0; p < high; ++p) {{
                            float factor = w[((o + p) * IN + c) * K + k];
                            for (int64_t j = 0; j < count; ++j) sum[p][j] += factor * line[j];
                        }}
                    }}
                for (int64_t p = 0; p < high; ++p)
                    std::copy(sum[p], sum[p] + count, y + (n * OUT + o + p) * size + first);
            }}
}}
""")


class ModelNew(nn.Module):
    def __init__(self, in_channels, out_channels, kernel, dilation):
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, dilation=dilation)
        self.shrink = (kernel - 1) * dilation
        self.lib = build(in_channels, out_channels, kernel, dilation)

    def forward(self, x):
        batch, _, length = x.shape
        y = torch.empty(batch, self.conv.out_channels, length - self.shrink)
        self.lib.conv(x, self.conv.weight, self.conv.bias, y, batch, length)
        return y
