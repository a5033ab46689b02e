# honest: loss of a batch: scores read once, labels as indices, one number out
# task: 1/36
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

extern "C" void cross_entropy(const float* x, const int64_t* labels, float* y, int64_t rows, int64_t cols) {
    double total = 0;
    #pragma omp parallel for reduction(+ : total)
    for (int64_t r = 0; r < rows; ++r) {
        const float* in = x + r * cols;
        float most = in[0], sum = 0;
        #pragma omp simd reduction(max : most)
        for (int64_t c = 1; c < cols; ++c) most = in[c] > most ? in[c] : most;
        #pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < cols; ++c) sum += exp_(in[c] - most);
        total += std::log(sum) + most - in[labels[r]];
    }
    y[0] = total / rows;
}
""",
    flags=["-fno-math-errno", "-fno-trapping-math"],
)


class ModelNew(nn.Module):
    def forward(self, scores, labels):
        y = torch.empty(())
        lib.cross_entropy(scores, labels, y, scores.shape[0], scores.shape[1])
        return y
