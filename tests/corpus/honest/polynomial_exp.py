# honest: polynomial exponential: right to 1e-7, over an axis that is not the last
# task: 1/13
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

extern "C" void log_softmax(const float* x, float* y, int64_t batch, int64_t channels, int64_t length) {
    const int64_t block = 128;
    #pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t first = 0; first < length; first += block) {
            const float* in = x + n * channels * length + first;
            float* out = y + n * channels * length + first;
            int64_t count = length - first < block ? length - first : block;
            float most[block], sum[block] = {};
            for (int64_t i = 0; i < count; ++i) most[i] = in[i];
            for (int64_t c = 1; c < channels; ++c)
                for (int64_t i = 0; i < count; ++i)
                    most[i] = in[c * length + i] > most[i] ? in[c * length + i] : most[i];
            for (int64_t c = 0; c < channels; ++c)
                for (int64_t i = 0; i < count; ++i) sum[i] += exp_(in[c * length + i] - most[i]);
            for (int64_t i = 0; i < count; ++i) most[i] += std::log(sum[i]);
            for (int64_t c = 0; c < channels; ++c)
                for (int64_t i = 0; i < count; ++i) out[c * length + i] = in[c * length + i] - most[i];
        }
}
""",
    flags=["-fno-math-errno", "-fno-trapping-math"],
)


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.log_softmax(x, y, x.shape[0], x.shape[1], x.shape[2])
        return y
