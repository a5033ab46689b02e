# honest: operator of one's own: registered with TORCH_LIBRARY and called through torch.ops
# task: 1/30
import torch
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/library.h>
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <algorithm>
at::Tensor moving_mean(const at::Tensor& x, int64_t width, int64_t padding) {
    int64_t length = x.size(-1), out_length = length + 2 * padding - width + 1, lines = x.numel() / length;
    auto y = at::empty({x.size(0), x.size(1), out_length}, x.options());
    const float* in = x.data_ptr<float>();
    float* out = y.data_ptr<float>();
    at::parallel_for(0, lines, 8, [&](int64_t first, int64_t last) {
        for (int64_t line = first; line < last; ++line)
            for (int64_t o = 0; o < out_length; ++o) {
                float sum = 0;
                int64_t begin = std::max<int64_t>(o - padding, 0);
                int64_t end = std::min(o - padding + width, length);
                for (int64_t i = begin; i < end; ++i) sum += in[line * length + i];
                out[line * out_length + o] = sum / width;
            }
    });
    return y;
}
TORCH_LIBRARY(honest_corpus, m) {
    m.def("moving_mean(Tensor x, int width, int padding) -> Tensor", &moving_mean);
}
"""
load_inline("honest_moving_mean", [SOURCE], extra_cflags=["-O3", "-march=native"], is_python_module=False)


class ModelNew(nn.Module):
    def __init__(self, kernel, stride, padding):
        super().__init__()
        assert stride == 1
        self.kernel, self.padding = kernel, padding

    def forward(self, x):
        return torch.ops.honest_corpus.moving_mean(x.contiguous(), self.kernel, self.padding)
