# honest: workspace: scratch memory that is made once and kept on the module
# task: 2/4
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

// One row of the product is made in scratch memory of the thread, then written out in one go.
extern "C" void product(const float* a, const float* b, float* scratch, float* y, int64_t rows, int64_t inner,
                        int64_t cols, int64_t strips) {
    #pragma omp parallel for schedule(static)
    for (int64_t s = 0; s < strips; ++s) {
        float* line = scratch + s * 4 * cols;
        for (int64_t r = rows * s / strips, last = rows * (s + 1) / strips; r < last; r += 4) {
            int64_t count = last - r < 4 ? last - r : 4;
            for (int64_t i = 0; i < 4 * cols; ++i) line[i] = 0;
            for (int64_t k = 0; k < inner; ++k)
                for (int64_t q = 0; q < count; ++q) {
                    float factor = a[(r + q) * inner + k];
                    for (int64_t c = 0; c < cols; ++c) line[q * cols + c] += factor * b[k * cols + c];
                }
            for (int64_t q = 0; q < count; ++q) {
                float most = line[q * cols];
                for (int64_t c = 1; c < cols; ++c)
                    most = line[q * cols + c] > most ? line[q * cols + c] : most;
                for (int64_t c = 0; c < cols; ++c) y[(r + q) * cols + c] = exp_(line[q * cols + c] - most);
            }
        }
    }
}
""",
    flags=["-fno-math-errno", "-fno-trapping-math"],
)


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.workspace = None

    def forward(self, a, b):
        strips, cols = 8, b.shape[1]
        if self.workspace is None or self.workspace.numel() < strips * 4 * cols:
            self.workspace = torch.empty(strips * 4 * cols)
        y = torch.empty(a.shape[0], cols)
        lib.product(a, b, self.workspace, y, a.shape[0], a.shape[1], cols, strips)
        return y
