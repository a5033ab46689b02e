# honest: barrier: threads that wait for each other in a loop of their own, on their core
# task: local/smoothing_steps
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <atomic>
#include <omp.h>

struct Barrier {
    std::atomic<int> waiting{0}, phase{0};
    void wait(int threads) {
        const int seen = phase.load();
        if (waiting.fetch_add(1) + 1 == threads) {
            waiting.store(0);
            phase.fetch_add(1);
        } else {
            while (phase.load(std::memory_order_acquire) == seen) {}
        }
    }
};

extern "C" void smooth(const float* x, float* one, float* other, int64_t n, int steps) {
    Barrier barrier;
    #pragma omp parallel
    {
        const int threads = omp_get_num_threads(), me = omp_get_thread_num();
        const int64_t share = (n + threads - 1) / threads;
        const int64_t first = me * share, last = std::min(n, first + share);
        const float* from = x;
        for (int s = 0; s < steps; ++s) {
            float* to = s % 2 ? other : one;
            for (int64_t i = std::max<int64_t>(first, 1); i < std::min(last, n - 1); ++i)
                to[i] = 0.5f * from[i] + 0.25f * (from[i - 1] + from[i + 1]);
            if (first == 0) to[0] = from[0];
            if (last == n) to[n - 1] = from[n - 1];
            barrier.wait(threads);
            from = to;
        }
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        one, other = torch.empty_like(x), torch.empty_like(x)
        lib.smooth(x, one, other, x.numel(), 8)
        return other
