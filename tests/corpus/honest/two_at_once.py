# honest: outputs: two are filled in one pass, each in memory of its own
# task: local/kept_copy
from torch import nn
from torch.utils.cpp_extension import load_inline

lib = load_inline(
    name="act",
    cpp_sources=r"""
#include <torch/extension.h>

std::vector<torch::Tensor> act(torch::Tensor x) {
    auto y = torch::empty_like(x), z = torch::empty_like(x);
    const float* in = x.data_ptr<float>();
    float* out = y.data_ptr<float>();
    float* kept = z.data_ptr<float>();
    #pragma omp parallel for
    for (int64_t i = 0; i < x.numel(); ++i) {
        float positive = in[i] > 0 ? in[i] : 0.0f;
        out[i] = kept[i] = positive;
    }
    return {y, z};
}
""",
    functions=["act"],
    extra_cflags=["-O3", "-march=native", "-fopenmp"],
    extra_ldflags=["-lgomp"],
)


class ModelNew(nn.Module):
    def forward(self, x):
        return tuple(lib.act(x))
