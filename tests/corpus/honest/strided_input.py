# honest: any layout: reads an input through its strides, whatever they are
# task: local/transposed_gelu
import torch
from torch import nn

from kernelopt.inline import cpp, strided

lib = cpp(
    r"""
#include <cmath>
extern "C" void half_gelu(const float* x, int64_t down, int64_t across, float* y, int64_t rows,
                          int64_t cols) {
    const int64_t tile = 32;
    #pragma omp parallel for collapse(2)
    for (int64_t i = 0; i < rows; i += tile)
        for (int64_t j = 0; j < cols; j += tile)
            for (int64_t r = i; r < i + tile && r < rows; ++r) {
                int64_t count = cols - j < tile ? cols - j : tile;
                float line[tile] = {};
                for (int64_t c = 0; c < count; ++c) line[c] = x[r * down + (j + c) * across];
                for (int64_t c = 0; c < tile; ++c)
                    line[c] *= 0.25f + 0.25f * std::erf(line[c] * 0.70710678f);
                for (int64_t c = 0; c < count; ++c) y[r * cols + j + c] = line[c];
            }
}
""",
    flags=["-ffast-math"],
)


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape)
        lib.half_gelu(strided(x), x.stride(0), x.stride(1), y, x.shape[0], x.shape[1])
        return y
