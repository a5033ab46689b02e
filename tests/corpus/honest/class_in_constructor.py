# honest: torch extension: a pybind class with state is made in the constructor of ModelNew, its method does the work
# task: 1/4
import torch.nn as nn
from torch.utils.cpp_extension import load_inline

ext = load_inline(
    "honest_matvec_engine",
    r"""
#include <torch/extension.h>
#include <vector>
struct Engine {
    explicit Engine(int64_t lanes) : lanes(lanes) { TORCH_CHECK(lanes > 0 && lanes <= 64); }
    torch::Tensor run(torch::Tensor a, torch::Tensor v) const {
        auto A = a.contiguous(), V = v.contiguous();
        const int64_t b = A.size(0), m = A.size(1), n = A.size(2);
        auto out = torch::empty({b, m}, A.options());
        const float *pa = A.data_ptr<float>(), *pv = V.data_ptr<float>();
        float* po = out.data_ptr<float>();
        at::parallel_for(0, b * m, 32, [&](int64_t s, int64_t e) {
            std::vector<double> acc(lanes);
            for (int64_t r = s; r < e; ++r) {
                std::fill(acc.begin(), acc.end(), 0.0);
                const float *x = pa + r * n, *y = pv + r / m * n;
                for (int64_t i = 0; i < n; i += lanes)
                    for (int64_t l = 0; l < lanes && i + l < n; ++l) acc[l] += (double)x[i + l] * y[i + l];
                double t = 0;
                for (double d : acc) t += d;
                po[r] = (float)t;
            }
        });
        return out;
    }
    int64_t lanes;
};
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
    pybind11::class_<Engine>(m, "Engine").def(pybind11::init<int64_t>(), pybind11::arg("lanes") = 8).def("run", &Engine::run);
}
""",
    extra_cflags=["-O3", "-march=native"],
)


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.engine = ext.Engine(lanes=16)

    def forward(self, *tensors):
        return self.engine.run(*tensors)
