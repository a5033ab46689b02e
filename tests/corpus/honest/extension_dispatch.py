# honest: torch extension: one template for all floating types by AT_DISPATCH
# task: 1/22
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
template <typename T>
static void middle_max(const T* x, T* y, int64_t batch, int64_t length, int64_t dim) {
    at::parallel_for(0, batch, 1, [&](int64_t first, int64_t last) {
        for (int64_t n = first; n < last; ++n) {
            T* out = y + n * dim;
            const T* in = x + n * length * dim;
            for (int64_t j = 0; j < dim; ++j) out[j] = in[j];
            for (int64_t i = 1; i < length; ++i)
                for (int64_t j = 0; j < dim; ++j) out[j] = in[i * dim + j] > out[j] ? in[i * dim + j] : out[j];
        }
    });
}
torch::Tensor largest(torch::Tensor x) {
    auto input = x.contiguous();
    auto y = torch::empty({input.size(0), input.size(2)}, input.options());
    AT_DISPATCH_FLOATING_TYPES(input.scalar_type(), "middle_max", [&] {
        const scalar_t* from = input.data_ptr<scalar_t>();
        middle_max<scalar_t>(from, y.data_ptr<scalar_t>(), input.size(0), input.size(1), input.size(2));
    });
    return y;
}
"""
lib = load_inline("honest_middle_max", [SOURCE], functions=["largest"], extra_cflags=["-O3", "-march=native"])


class ModelNew(nn.Module):
    def forward(self, x):
        return lib.largest(x)
