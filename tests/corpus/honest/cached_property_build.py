# honest: lazy build: a cached_property compiles for the module's own sizes when first asked
# task: 2/16
from functools import cached_property

import torch
import torch.nn as nn

from kernelopt.inline import cpp


class ModelNew(nn.Module):
    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel

    @cached_property
    def ops(self):
        return cpp(f"""
#include <limits>
#include <utility>
template <class F, int64_t... I> inline void unrolled(F f, std::integer_sequence<int64_t, I...>) {{ (f(I), ...); }}
extern "C" void add_relu_pool(const float* a, const float* b, float* y, int64_t planes, int64_t h, int64_t w) {{
    constexpr int64_t K = {self.kernel};
    const int64_t oh = h / K, ow = w / K;
    #pragma omp parallel for
    for (int64_t p = 0; p < planes; ++p)
        for (int64_t oy = 0; oy < oh; ++oy)
            for (int64_t ox = 0; ox < ow; ++ox) {{
                float m = 0;  // relu
                unrolled([&](int64_t i) {{
                    const int64_t at = (p * h + oy * K + i / K) * w + ox * K + i % K;
                    const float v = a[at] + b[at];
                    m = (v > m || v != v) ? v : m;
                }}, std::make_integer_sequence<int64_t, K * K>());
                y[(p * oh + oy) * ow + ox] = m;
            }}
}}
""")

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.size()
        out = torch.empty((n, c, h // self.kernel, w // self.kernel), dtype=x.dtype)
        self.ops.add_relu_pool(x.contiguous(), y.contiguous(), out, n * c, h, w)
        return out
