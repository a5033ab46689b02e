# honest: torch extension: a TensorIterator walks the strides, the lambda of cpu_kernel does the arithmetic
# task: 2/12
import torch
from torch import nn
from torch.utils.cpp_extension import load_inline

cpp_source = r"""
#include <torch/extension.h>
#include <ATen/TensorIterator.h>
#include <ATen/native/cpu/Loops.h>
#include <cmath>

torch::Tensor chain(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift) {
    TORCH_CHECK(x.device().is_cpu(), "x must be a CPU tensor");
    auto out = torch::empty_like(x);
    auto iter = at::TensorIteratorConfig()
        .add_output(out)
        .add_const_input(x)
        .add_const_input(scale)
        .add_const_input(shift)
        .build();
    at::native::cpu_kernel(iter, [](float v, float a, float b) -> float {
        float t = std::tanh(v * a + b);
        t = t * t * 2.0f - 0.5f * t;
        return t < 0.0f ? 0.0f : t > 1.5f ? 1.5f : t;
    });
    return out;
}
"""

ext = load_inline(
    name="ti_chain", cpp_sources=cpp_source, functions=["chain"], extra_cflags=["-O3"], verbose=False
)


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return ext.chain(x, self.scale, self.shift)
