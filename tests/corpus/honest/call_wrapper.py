# honest: call wrapper: ModelNew has a __call__ that passes everything on to the one of nn.Module
# task: 1/41
from torch.nn import Module
from torch.utils.cpp_extension import load_inline

LOSS = load_inline(
    name="triplet_margin",
    cpp_sources=[
        r"""
#include <torch/extension.h>
#include <ATen/Parallel.h>
#include <functional>

// recursive pairwise sum of squared differences
static float pairwise(const float* __restrict__ a, const float* __restrict__ b, int64_t n) {
    if (n <= 32) {
        float s = 0;
        for (int64_t i = 0; i < n; ++i) { const float d = a[i] - b[i]; s += d * d; }
        return s;
    }
    const int64_t half = n / 2;
    return pairwise(a, b, half) + pairwise(a + half, b + half, n - half);
}

at::Tensor triplet_margin(const at::Tensor& anchor, const at::Tensor& match, const at::Tensor& other, double margin) {
    for (auto* t : {&anchor, &match, &other}) TORCH_CHECK(t->is_contiguous() && t->dtype() == torch::kFloat32, "bad input");
    TORCH_CHECK(anchor.sizes() == match.sizes() && anchor.sizes() == other.sizes(), "sizes differ");
    const auto rows = anchor.size(0), dim = anchor.size(1);
    const auto *a = anchor.data_ptr<float>(), *p = match.data_ptr<float>(), *n = other.data_ptr<float>();
    const double total = at::parallel_reduce(int64_t{0}, rows, int64_t{64}, 0.0, [&](int64_t begin, int64_t end, double acc) {
        for (int64_t r = begin; r < end; ++r) {
            const float near = std::sqrt(pairwise(a + r * dim, p + r * dim, dim));
            const float far = std::sqrt(pairwise(a + r * dim, n + r * dim, dim));
            const float loss = near - far + static_cast<float>(margin);
            acc += loss < 0 ? 0 : loss;
        }
        return acc;
    }, std::plus<double>());
    auto out = at::empty({}, anchor.options());
    *out.data_ptr<float>() = static_cast<float>(total / rows);
    return out;
}
"""
    ],
    functions=["triplet_margin"],
    extra_cflags=["-O3", "-march=native"],
)


class ModelNew(Module):
    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs)

    def forward(self, anchor, match, other):
        anchor, match, other = (t.contiguous() for t in (anchor, match, other))
        return LOSS.triplet_margin(anchor, match, other, 1.0)
