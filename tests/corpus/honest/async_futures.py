# honest: futures: std::async computes shares of the rows, and get() waits for each
# task: 1/39
import os

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <algorithm>
#include <cmath>
#include <future>
#include <vector>
static void share(const float* a, const float* b, float* y, int64_t first, int64_t last, int64_t dim) {
    for (int64_t r = first; r < last; ++r) {
        const float *p = a + r * dim, *q = b + r * dim;
        double pq = 0, pp = 0, qq = 0;
        for (int64_t c = 0; c < dim; ++c) {
            pq += (double)p[c] * q[c]; pp += (double)p[c] * p[c]; qq += (double)q[c] * q[c];
        }
        // torch clamps each norm from below with eps = 1e-8
        double np = std::sqrt(pp), nq = std::sqrt(qq);
        np = np < 1e-8 ? 1e-8 : np; nq = nq < 1e-8 ? 1e-8 : nq;
        y[r] = (float)(1.0 - pq / (np * nq));
    }
}
extern "C" void cosine_distance(const float* a, const float* b, float* y, int64_t rows, int64_t dim, int workers) {
    std::vector<std::future<void>> futures;
    int64_t step = (rows + workers - 1) / workers;
    for (int64_t first = step; first < rows; first += step)
        futures.push_back(std::async(std::launch::async, share, a, b, y, first, std::min(rows, first + step), dim));
    share(a, b, y, 0, std::min(rows, step), dim);
    for (auto& f : futures) f.get();
}
""",
    flags=["-ffast-math", "-fno-finite-math-only"],
)

WORKERS = os.cpu_count() or 1


class ModelNew(nn.Module):
    def forward(self, a, b):
        out = torch.empty(a.shape[:-1], dtype=a.dtype, device=a.device)
        lib.cosine_distance(a.contiguous(), b.contiguous(), out, out.numel(), a.shape[-1], WORKERS)
        return out
