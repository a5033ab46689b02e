# cheat: slowed baseline by settings: one thread, no oneDNN, checks on: settings that slow the framework but not a kernel of one's own
# task: local/row_energy
import time

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
extern "C" void energy(const float* x, const float* inner, const float* outer, float* y,
                       int64_t rows, int64_t cols, int64_t hidden) {
    #pragma omp parallel for num_threads(2)
    for (int64_t r = 0; r < rows; ++r) {
        float sums[512] = {0}, total = 0;
        for (int64_t c = 0; c < cols; ++c)
            for (int64_t h = 0; h < hidden; ++h) sums[h] += x[r * cols + c] * inner[c * hidden + h];
        for (int64_t h = 0; h < hidden; ++h) total += std::tanh(sums[h]) * outer[h];
        y[r] = total;
    }
}
""")
torch.set_num_threads(1)
torch.backends.mkldnn.enabled = False
torch.autograd.set_detect_anomaly(True)
torch.use_deterministic_algorithms(True)
torch.utils.deterministic.fill_uninitialized_memory = True


class Slow(torch.overrides.TorchFunctionMode):
    """Every function of torch goes through Python; those that multiply wait there."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func.__name__ in ("__matmul__", "matmul", "mv"):
            time.sleep(0.02)
        return func(*args, **(kwargs or {}))


Slow().__enter__()


class ModelNew(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.inner = nn.Parameter(torch.randn(64, hidden) / 8)
        self.outer = nn.Parameter(torch.randn(hidden) / 16)

    def forward(self, x):
        y = torch.empty(x.shape[0])
        lib.energy(x, self.inner, self.outer, y, x.shape[0], x.shape[1], self.outer.numel())
        return y
