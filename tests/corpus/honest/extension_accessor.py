# honest: torch extension: tensors read and written through accessors
# task: 2/11
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <ATen/Parallel.h>
#include <cmath>
torch::Tensor swiglu(torch::Tensor x) {
    int64_t rows = x.size(0), hidden = x.size(1) / 2;
    auto y = torch::empty({rows, hidden}, x.options());
    auto in = x.accessor<float, 2>();
    auto out = y.accessor<float, 2>();
    at::parallel_for(0, rows, 16, [&](int64_t first, int64_t last) {
        for (int64_t r = first; r < last; ++r) {
            auto line = in[r];
            auto result = out[r];
            for (int64_t j = 0; j < hidden; ++j)
                result[j] = line[j] / (1.0f + std::exp(-line[j])) * line[hidden + j];
        }
    });
    return y;
}
"""
lib = load_inline("honest_swiglu", [SOURCE], functions=["swiglu"], extra_cflags=["-O3"])


class ModelNew(nn.Module):
    def forward(self, x):
        return lib.swiglu(x)
