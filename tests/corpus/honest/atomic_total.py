# honest: partial sums by atomics: each thread adds its double to the total in an atomic, with a warning for odd input
# task: 1/38
import logging

import torch
from torch import nn

from kernelopt.inline import cpp

log = logging.getLogger(__name__)

lib = cpp(r"""
#include <cmath>
#include <cstdio>
#include <omp.h>
extern "C" int huber(const float* p, const float* t, float* out, int64_t n, float delta) {
    if (n <= 0) { std::fprintf(stderr, "huber: warning: empty input\n"); out[0] = NAN; return 1; }
    double total = 0;
    #pragma omp parallel num_threads(omp_get_max_threads())
    {
        double mine = 0;
        #pragma omp for schedule(dynamic, 4096) nowait
        for (int64_t i = 0; i < n; ++i) {
            float e = std::fabs(p[i] - t[i]);
            mine += e < delta ? 0.5f * e * e : delta * (e - 0.5f * delta);
        }
        #pragma omp atomic
        total += mine;
    }
    out[0] = (float)(total / n);
    return 0;
}
""")


class ModelNew(nn.Module):
    DELTA: float = 1.5

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        out = torch.zeros((), dtype=torch.float32)
        code = lib.huber(prediction.contiguous(), target.contiguous(), out, prediction.numel(), self.DELTA)
        if code != 0:
            log.warning("huber loss of nothing")
        return out
