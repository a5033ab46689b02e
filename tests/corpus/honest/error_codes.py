# honest: errors: C++ exceptions become codes, and Python raises a ValueError with a sentence
# task: 1/37
import enum

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cassert>
#include <cmath>
#include <stdexcept>
#include <vector>
namespace {
struct Stats { float most; double log_sum; };
Stats stats(const float* a, int64_t n) {
    if (n <= 0) throw std::invalid_argument("no columns");
    float m = a[0];
    for (int64_t i = 1; i < n; ++i) m = (a[i] > m || a[i] != a[i]) ? a[i] : m;
    double s = 0;
    for (int64_t i = 0; i < n; ++i) s += std::exp(a[i] - m);
    return {m, std::log(s)};
}
void kl_rows(const float* p, const float* q, float* y, int64_t rows, int64_t cols) {
    assert(p && q && y);
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float *a = p + r * cols, *b = q + r * cols;
        const Stats s = stats(a, cols), t = stats(b, cols);
        double kl = 0;
        for (int64_t c = 0; c < cols; ++c) {
            const double la = (a[c] - s.most) - s.log_sum, lb = (b[c] - t.most) - t.log_sum, w = std::exp(lb);
            kl += w == 0 ? 0.0 : w * (lb - la);
        }
        y[r] = (float)kl;
    }
}
}
extern "C" int kl(const float* p, const float* q, float* y, int64_t rows, int64_t cols) {
    try {
        if (cols <= 0) throw std::length_error("cols");
        kl_rows(p, q, y, rows, cols);
        return 0;
    } catch (const std::length_error&) { return 1; }
    catch (...) { return 2; }
}
""")


class Code(enum.IntEnum):
    OK = 0
    BAD_SHAPE = 1
    OTHER = 2


class ModelNew(nn.Module):
    def forward(self, logits, target_logits):
        rows, cols = logits.shape
        out = torch.empty(rows)
        code = Code(lib.kl(logits.contiguous(), target_logits.contiguous(), out, rows, cols))
        if code is not Code.OK:
            raise ValueError(f"kl failed: {code.name}")
        return out
