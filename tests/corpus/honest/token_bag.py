# honest: integers in: sums embeddings row by row, then a small layer
# task: local/token_mix
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
#include <vector>
extern "C" void bag(const int64_t* tokens, const float* table, const float* mix, float* y,
                    int64_t rows, int64_t length, int64_t width) {
    #pragma omp parallel
    {
        std::vector<float> sums(width), out(width);
        #pragma omp for
        for (int64_t r = 0; r < rows; ++r) {
            std::fill(sums.begin(), sums.end(), 0.0f);
            std::fill(out.begin(), out.end(), 0.0f);
            for (int64_t i = 0; i < length; ++i) {
                const float* entry = table + tokens[r * length + i] * width;
                for (int64_t c = 0; c < width; ++c) sums[c] += entry[c];
            }
            for (int64_t c = 0; c < width; ++c)
                for (int64_t h = 0; h < width; ++h) out[h] += sums[c] * mix[c * width + h];
            for (int64_t h = 0; h < width; ++h) y[r * width + h] = std::tanh(out[h]);
        }
    }
}
""".replace("#include <vector>", "#include <vector>\n#include <algorithm>")
)


class ModelNew(nn.Module):
    def __init__(self, words, width):
        super().__init__()
        self.table = nn.Parameter(torch.randn(words, width) / 4)
        self.mix = nn.Parameter(torch.randn(width, width) / 8)

    def forward(self, tokens):
        y = torch.empty(tokens.shape[0], self.mix.shape[1])
        lib.bag(tokens.contiguous(), self.table, self.mix, y, *tokens.shape, self.mix.shape[1])
        return y
