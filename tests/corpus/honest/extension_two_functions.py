# honest: torch extension: two functions, the second called with what the first returned
# task: 2/8
import torch
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <ATen/Parallel.h>
#include <cmath>
static const int64_t GRAIN = 16;
torch::Tensor added(torch::Tensor x, torch::Tensor residual) {
    auto y = torch::empty_like(x);
    const float *a = x.data_ptr<float>(), *b = residual.data_ptr<float>();
    float* out = y.data_ptr<float>();
    at::parallel_for(0, x.numel(), 1 << 14, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) out[i] = a[i] + b[i];
    });
    return y;
}
void norm_(torch::Tensor y, torch::Tensor weight, torch::Tensor gain) {
    int64_t cols = y.size(1);
    float* data = y.data_ptr<float>();
    const float *w = weight.data_ptr<float>(), *g = gain.data_ptr<float>();
    at::parallel_for(0, y.size(0), GRAIN, [&](int64_t first, int64_t last) {
        for (int64_t r = first; r < last; ++r) {
            float *row = data + r * cols, sum[16] = {}, all = 0;
            for (int64_t c = 0; c < cols; ++c) sum[c % 16] += row[c] * row[c];
            for (float part : sum) all += part;
            float scale = g[r] / std::sqrt(all / cols + 1e-6f);
            for (int64_t c = 0; c < cols; ++c) row[c] *= scale * w[c];
        }
    });
}
"""
lib = load_inline(
    "honest_add_rms", [SOURCE], functions=["added", "norm_"], extra_cflags=["-O3", "-march=native"]
)


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))

    def forward(self, x, residual, gain):
        y = lib.added(x, residual)
        lib.norm_(y, self.weight, gain)
        return y
