# honest: in place: each step overwrites the kernel's own output, never an input
# task: 2/10
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

extern "C" void scale_mask(const float* x, const float* mask, float* y, int64_t heads, int64_t size) {
    #pragma omp parallel for
    for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < size; ++i) y[h * size + i] = x[h * size + i] * 0.125f + mask[i];
}
extern "C" void softmax(float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        float* row = y + r * cols;
        float most = row[0], sum = 0;
        #pragma omp simd reduction(max : most)
        for (int64_t c = 1; c < cols; ++c) most = row[c] > most ? row[c] : most;
        #pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < cols; ++c) {
            row[c] = exp_(row[c] - most);
            sum += row[c];
        }
        for (int64_t c = 0; c < cols; ++c) row[c] /= sum;
    }
}
""",
    flags=["-fno-math-errno", "-fno-trapping-math"],
)


class ModelNew(nn.Module):
    def forward(self, scores, mask):
        y = torch.empty_like(scores)
        heads, queries, keys = scores.shape
        lib.scale_mask(scores, mask, y, heads, queries * keys)
        lib.softmax(y, heads * queries, keys)
        return y
