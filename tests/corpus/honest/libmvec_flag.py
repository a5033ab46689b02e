# honest: fast mathematics: vector sine by -ffast-math, with libmvec named to the linker
# task: local/relaxation
import torch
from torch import nn

from kernelopt.inline import cpp

STEPS = 30
lib = cpp(
    rf"""
#include <cmath>
extern "C" void relax(const float* __restrict__ x, const float* __restrict__ pull, float* __restrict__ y, int64_t n) {{
    constexpr int64_t STRIP = 256;
    #pragma omp parallel for schedule(static)
    for (int64_t s = 0; s < n; s += STRIP) {{
        float v[STRIP];
        const int64_t m = n - s < STRIP ? n - s : STRIP;
        for (int64_t i = 0; i < m; ++i) v[i] = x[s + i];
        for (int step = 0; step < {STEPS}; ++step)
            for (int64_t i = 0; i < m; ++i) v[i] = 0.6f * v[i] + 0.1f * std::sin(v[i]) + pull[s + i];
        for (int64_t i = 0; i < m; ++i) y[s + i] = v[i];
    }}
}}
""",
    flags=("-ffast-math", "-fno-finite-math-only"),
    ldflags=["-lmvec", "-lm"],
)


class ModelNew(nn.Module):
    def forward(self, x, pull):
        y = torch.empty_like(x, memory_format=torch.contiguous_format)
        lib.relax(x.contiguous(), pull.contiguous(), y, x.numel())
        return y
