# honest: online softmax: maximum and sum in one pass, rescaled as the maximum grows
# task: 1/12
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
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

extern "C" void softmax(const float* x, float* y, int64_t rows, int64_t cols) {
    const int64_t block = 128;
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* in = x + r * cols;
        float* out = y + r * cols;
        float most = -INFINITY, sum = 0;
        for (int64_t first = 0; first < cols; first += block) {
            int64_t last = first + block < cols ? first + block : cols;
            float here = in[first], part = 0;
            #pragma omp simd reduction(max : here)
            for (int64_t c = first; c < last; ++c) here = in[c] > here ? in[c] : here;
            if (here > most) {
                sum *= exp_(most - here);
                most = here;
            }
            #pragma omp simd reduction(+ : part)
            for (int64_t c = first; c < last; ++c) part += exp_(in[c] - most);
            sum += part;
        }
        float share = 1.0f / sum;
        for (int64_t c = 0; c < cols; ++c) out[c] = exp_(in[c] - most) * share;
    }
}
""",
    flags=["-fno-math-errno", "-fno-trapping-math"],
)


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.softmax(x, y, x.shape[0], x.shape[1])
        return y
