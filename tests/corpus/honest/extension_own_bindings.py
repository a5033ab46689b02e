# honest: torch extension: bindings written by hand with PYBIND11_MODULE
# task: 2/13
import torch
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
static at::Tensor clamped_lse(const at::Tensor& x, const at::Tensor& scale) {
    TORCH_CHECK(x.is_contiguous() && x.scalar_type() == at::kFloat,
                "a contiguous float32 matrix is expected");
    int64_t cols = x.size(1);
    auto y = at::empty({x.size(0)}, x.options());
    const float *in = x.data_ptr<float>(), *s = scale.data_ptr<float>();
    float* out = y.data_ptr<float>();
    at::parallel_for(0, x.size(0), 32, [&](int64_t first, int64_t last) {
        for (int64_t r = first; r < last; ++r) {
            // Clamped to [-8, 8], so that no maximum is needed: exp(8) is 2981.
            float sum[16] = {}, all = 0;
            for (int64_t c = 0; c < cols; ++c)
                sum[c % 16] += std::exp(std::min(std::max(in[r * cols + c] * s[c], -8.0f), 8.0f));
            for (float part : sum) all += part;
            out[r] = std::log(all);
        }
    });
    return y;
}
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("clamped_lse", &clamped_lse); }
"""
lib = load_inline("honest_clamped_lse", [SOURCE], extra_cflags=["-O3", "-march=native"])


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(dim))

    def forward(self, x):
        return lib.clamped_lse(x, self.scale)
