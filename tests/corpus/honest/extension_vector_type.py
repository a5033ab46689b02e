# honest: torch extension: PyTorch's own vector type, with a scalar tail
# task: 1/7
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <ATen/Parallel.h>
#include <ATen/cpu/vec/vec.h>
torch::Tensor squared_relu(torch::Tensor x) {
    using Lanes = at::vec::Vectorized<float>;
    auto input = x.contiguous();
    auto y = torch::empty_like(input);
    const float* in = input.data_ptr<float>();
    float* out = y.data_ptr<float>();
    at::parallel_for(0, input.numel(), 1 << 14, [&](int64_t first, int64_t last) {
        int64_t i = first;
        for (; i + Lanes::size() <= last; i += Lanes::size()) {
            auto v = at::vec::maximum(Lanes::loadu(in + i), Lanes(0.0f));
            (v * v).store(out + i);
        }
        for (; i < last; ++i) out[i] = in[i] > 0 ? in[i] * in[i] : 0;
    });
    return y;
}
"""
lib = load_inline(
    "honest_squared_relu", [SOURCE], functions=["squared_relu"], extra_cflags=["-O3", "-march=native"]
)


class ModelNew(nn.Module):
    def forward(self, x):
        return lib.squared_relu(x)
