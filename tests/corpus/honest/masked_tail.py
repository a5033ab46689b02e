# honest: masked vectors: AVX-512 masks for the tail instead of a scalar loop
# task: 1/10
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <immintrin.h>
#include <cmath>
static inline __m512 exp_(__m512 x) {
    x = _mm512_max_ps(x, _mm512_set1_ps(-87.0f));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    const float factors[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
    __m512 p = _mm512_set1_ps(1.0f / 5040);
    for (float factor : factors) p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(factor));
    return _mm512_scalef_ps(p, n);
}
// log(1 + t) for t in (0, 1]: the series of atanh(t / (2 + t)).
static inline __m512 log1p_(__m512 t) {
    __m512 s = _mm512_div_ps(t, _mm512_add_ps(t, _mm512_set1_ps(2.0f))), q = _mm512_mul_ps(s, s);
    const float factors[] = {1.0f / 13, 1.0f / 11, 1.0f / 9, 1.0f / 7, 1.0f / 5, 1.0f / 3, 1.0f};
    __m512 p = _mm512_set1_ps(1.0f / 15);
    for (float factor : factors) p = _mm512_fmadd_ps(p, q, _mm512_set1_ps(factor));
    return _mm512_mul_ps(_mm512_add_ps(s, s), p);
}
// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))
extern "C" void softplus(const float* x, float* y, int64_t n) {
    #pragma omp parallel for
    for (int64_t i = 0; i < n; i += 16) {
        __mmask16 inside = n - i >= 16 ? 0xffff : (1 << (n - i)) - 1;
        __m512 v = _mm512_maskz_loadu_ps(inside, x + i);
        __m512 small = log1p_(exp_(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_abs_ps(v))));
        _mm512_mask_storeu_ps(y + i, inside, _mm512_add_ps(_mm512_max_ps(v, _mm512_setzero_ps()), small));
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.softplus(x, y, x.numel())
        return y
