# honest: attention by tiles: keys in blocks, with a running maximum and sum for each query
# task: 3/11
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <algorithm>
#include <cmath>
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

// One query a head; q: [n, d], k and v: [n, length, d].
extern "C" void attend(const float* q, const float* k, const float* v, float* y, int64_t n, int64_t length,
                       int64_t d,
                       float scale) {
    const int64_t block = 64;
    #pragma omp parallel for
    for (int64_t h = 0; h < n; ++h) {
        float most = -INFINITY, sum = 0, out[256] = {};
        for (int64_t first = 0; first < length; first += block) {
            int64_t count = std::min(block, length - first);
            float score[block], here = most, part = 0;
            for (int64_t i = 0; i < count; ++i) {
                const float* key = k + (h * length + first + i) * d;
                float dot = 0;
                #pragma omp simd reduction(+ : dot)
                for (int64_t j = 0; j < d; ++j) dot += q[h * d + j] * key[j];
                score[i] = dot * scale;
                here = std::max(here, score[i]);
            }
            float shrink = exp_(most - here);
            for (int64_t j = 0; j < d; ++j) out[j] *= shrink;
            for (int64_t i = 0; i < count; ++i) {
                const float* value = v + (h * length + first + i) * d;
                float weight = exp_(score[i] - here);
                part += weight;
                for (int64_t j = 0; j < d; ++j) out[j] += weight * value[j];
            }
            sum = sum * shrink + part;
            most = here;
        }
        for (int64_t j = 0; j < d; ++j) y[h * d + j] = out[j] / sum;
    }
}
""",
    flags=["-fno-math-errno", "-fno-trapping-math"],
)


class ModelNew(nn.Module):
    def __init__(self, head_dim):
        super().__init__()
        self.scale = head_dim**-0.5

    def forward(self, query, keys, values):
        batch, heads, length, dim = keys.shape
        assert dim <= 256
        y = torch.empty_like(query)
        lib.attend(query, keys, values, y, batch * heads, length, dim, self.scale)
        return y
