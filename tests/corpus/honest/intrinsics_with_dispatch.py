# honest: intrinsics: AVX-512 or AVX2, chosen by what the processor has, and a scalar tail
# task: 1/9
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <immintrin.h>
#include <cmath>
#include <initializer_list>
static void silu_scalar(const float* x, float* y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] / (1.0f + std::exp(-x[i]));
}
#define EXP(SIZE, T, P)                                                                                   \
    T n = P##_roundscale(P##_mul_ps(v, P##_set1_ps(1.44269504f)));                                        \
    T r = P##_fnmadd_ps(n, P##_set1_ps(0.693359375f), v);                                                 \
    r = P##_fnmadd_ps(n, P##_set1_ps(-2.12194440e-4f), r);                                                \
    T p = P##_set1_ps(1.0f / 5040);                                                                       \
    for (float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f})                       \
        p = P##_fmadd_ps(p, r, P##_set1_ps(c));
#define _mm512_roundscale(x) _mm512_roundscale_ps(x, 0)
#define _mm256_roundscale(x) _mm256_round_ps(x, 0)
__attribute__((target("avx512f"))) static void silu_512(const float* x, float* y, int64_t n) {
    for (int64_t i = 0; i < n; i += 16) {
        __m512 in = _mm512_loadu_ps(x + i);
        __m512 v = _mm512_max_ps(_mm512_sub_ps(_mm512_setzero_ps(), in), _mm512_set1_ps(-87.0f));
        v = _mm512_min_ps(v, _mm512_set1_ps(88.0f));
        EXP(16, __m512, _mm512)
        p = _mm512_scalef_ps(p, n);
        _mm512_storeu_ps(y + i, _mm512_div_ps(in, _mm512_add_ps(p, _mm512_set1_ps(1.0f))));
    }
}
__attribute__((target("avx2,fma"))) static void silu_256(const float* x, float* y, int64_t n) {
    for (int64_t i = 0; i < n; i += 8) {
        __m256 in = _mm256_loadu_ps(x + i);
        __m256 v = _mm256_max_ps(_mm256_sub_ps(_mm256_setzero_ps(), in), _mm256_set1_ps(-87.0f));
        v = _mm256_min_ps(v, _mm256_set1_ps(88.0f));
        EXP(8, __m256, _mm256)
        __m256i two = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
        p = _mm256_mul_ps(p, _mm256_castsi256_ps(two));
        _mm256_storeu_ps(y + i, _mm256_div_ps(in, _mm256_add_ps(p, _mm256_set1_ps(1.0f))));
    }
}
extern "C" void silu(const float* x, float* y, int64_t n) {
    int64_t whole = n / 16 * 16, block = 1 << 14;
    bool wide = __builtin_cpu_supports("avx512f"), middle = __builtin_cpu_supports("avx2");
    #pragma omp parallel for
    for (int64_t i = 0; i < whole; i += block) {
        int64_t count = whole - i < block ? whole - i : block;
        (wide ? silu_512 : middle ? silu_256 : silu_scalar)(x + i, y + i, count);
    }
    silu_scalar(x + whole, y + whole, n - whole);
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.silu(x, y, x.numel())
        return y
