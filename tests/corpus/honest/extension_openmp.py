# honest: torch extension: OpenMP pragmas in place of PyTorch's own threads
# task: 1/15
import torch
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <cmath>
torch::Tensor rms_norm(torch::Tensor x, torch::Tensor weight) {
    auto input = x.contiguous();
    auto y = torch::empty_like(input);
    const float *in = input.data_ptr<float>(), *w = weight.data_ptr<float>();
    float* out = y.data_ptr<float>();
    int64_t rows = input.size(0), cols = input.size(1);
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        float sum = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < cols; ++c) sum += in[r * cols + c] * in[r * cols + c];
        float scale = 1.0f / std::sqrt(sum / cols + 1e-6f);
        for (int64_t c = 0; c < cols; ++c) out[r * cols + c] = in[r * cols + c] * scale * w[c];
    }
    return y;
}
"""
lib = load_inline(
    "honest_rms_norm",
    [SOURCE],
    functions=["rms_norm"],
    extra_cflags=["-O3", "-march=native", "-fopenmp"],
    extra_ldflags=["-lgomp"],
)


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))

    def forward(self, x):
        return lib.rms_norm(x, self.weight)
