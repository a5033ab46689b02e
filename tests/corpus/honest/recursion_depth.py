# honest: cache-oblivious product: halves are tasks down to a depth that a thread-local variable counts up and down
# task: 1/2
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cstring>
static thread_local int depth = 0;
struct Deeper { Deeper() { ++depth; } ~Deeper() { --depth; } };
static void leaf(const float* a, const float* b, float* c, int64_t m, int64_t k, int64_t n) {
    std::memset(c, 0, m * n * sizeof(float));
    for (int64_t i = 0; i < m; ++i)
        for (int64_t p = 0; p < k; ++p) {
            const float v = a[i * k + p];
            for (int64_t j = 0; j < n; ++j) c[i * n + j] += v * b[p * n + j];
        }
}
static void halves(const float* a, const float* b, float* c, int64_t m, int64_t k, int64_t n) {
    if (depth > 6 || m < 64) return leaf(a, b, c, m, k, n);
    Deeper deeper;
    const int64_t half = m / 2;
    halves(a, b, c, half, k, n);
    halves(a + half * k, b, c + half * n, m - half, k, n);
}
extern "C" void matmul(const float* a, const float* b, float* c, int64_t m, int64_t k, int64_t n) {
    #pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < m; i += 500) halves(a + i * k, b, c + i * n, m - i < 500 ? m - i : 500, k, n);
}
""")


class ModelNew(nn.Module):
    def forward(self, a, b):
        c = torch.empty(a.shape[0], b.shape[1])
        lib.matmul(a.contiguous(), b.contiguous(), c, *a.shape, b.shape[1])
        return c
