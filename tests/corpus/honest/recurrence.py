# honest: recurrence: projection and time steps in one kernel, the state in registers
# task: 3/12
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
#include <vector>
// e to the x to about one unit in the last place, in a form that vectorises.
static inline float exp_(float x) {
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    float n = std::floor(x * 1.44269504f + 0.5f);
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    union { int32_t i; float f; } two;
    two.i = ((int32_t)n + 127) << 23;
    return p * two.f;
}

extern "C" void recur(const float* x, const float* wt, const float* b, float* y, int64_t batch,
                      int64_t length, int64_t dim) {
    #pragma omp parallel for
    for (int64_t n = 0; n < batch; ++n) {
        std::vector<float> both(2 * dim), state(dim);
        for (int64_t t = 0; t < length; ++t) {
            const float* in = x + (n * length + t) * dim;
            for (int64_t j = 0; j < 2 * dim; ++j) both[j] = b[j];
            for (int64_t i = 0; i < dim; ++i)
                for (int64_t j = 0; j < 2 * dim; ++j) both[j] += in[i] * wt[i * 2 * dim + j];
            for (int64_t j = 0; j < dim; ++j) {
                float keep = 1.0f / (1.0f + exp_(-both[j]));
                state[j] = keep * state[j] + (1.0f - keep) * both[dim + j];
                y[(n * length + t) * dim + j] = state[j];
            }
        }
    }
}
""",
    flags=["-fno-math-errno", "-fno-trapping-math"],
)


class ModelNew(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.project = nn.Linear(dim, 2 * dim)

    def forward(self, x):
        packed = self.project.weight.detach().T.contiguous()
        y = torch.empty_like(x)
        lib.recur(x, packed, self.project.bias, y, x.shape[0], x.shape[1], x.shape[2])
        return y
