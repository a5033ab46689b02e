# honest: threads of its own: std::thread for each half, joined before the call returns
# task: 1/29
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <thread>
#include <vector>
static void planes(const float* x, float* y, int64_t first, int64_t last, int64_t h, int64_t w, int64_t k,
                   int64_t stride) {
    int64_t high = (h - k) / stride + 1, wide = (w - k) / stride + 1;
    for (int64_t p = first; p < last; ++p)
        for (int64_t i = 0; i < high; ++i)
            for (int64_t j = 0; j < wide; ++j) {
                float sum = 0;
                for (int64_t a = 0; a < k; ++a)
                    for (int64_t b = 0; b < k; ++b) sum += x[(p * h + i * stride + a) * w + j * stride + b];
                y[(p * high + i) * wide + j] = sum / (k * k);
            }
}
extern "C" void avg_pool(const float* x, float* y, int64_t count, int64_t h, int64_t w, int64_t k,
                         int64_t stride) {
    int64_t workers = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::thread> team;
    for (int64_t t = 0; t < workers; ++t)
        team.emplace_back(planes, x, y, count * t / workers, count * (t + 1) / workers, h, w, k, stride);
    for (auto& one : team) one.join();
}
""")


class ModelNew(nn.Module):
    def __init__(self, kernel, stride):
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x):
        batch, channels, high, wide = x.shape
        shape = ((high - self.kernel) // self.stride + 1, (wide - self.kernel) // self.stride + 1)
        y = torch.empty(batch, channels, *shape)
        lib.avg_pool(x, y, batch * channels, high, wide, self.kernel, self.stride)
        return y
