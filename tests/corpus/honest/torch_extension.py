# honest: torch extension: load_inline and at::parallel_for
# task: 1/8
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
torch::Tensor gelu(torch::Tensor input) {
    auto x = input.contiguous();
    auto y = torch::empty_like(x);
    const float* in = x.data_ptr<float>();
    float* out = y.data_ptr<float>();
    at::parallel_for(0, x.numel(), 8192, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
            float v = in[i], inner = 0.797884560f * (v + 0.044715f * v * v * v);
            out[i] = v - v / (1.0f + std::exp(2.0f * std::min(inner, 40.0f)));
        }
    });
    return y;
}
"""
lib = load_inline(
    "honest_gelu", [SOURCE], functions=["gelu"], extra_cflags=["-O3", "-march=native", "-ffast-math"]
)


class ModelNew(nn.Module):
    def forward(self, x):
        return lib.gelu(x)
