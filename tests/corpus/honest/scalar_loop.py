# honest: scalar loop: one thread, one element at a time
# task: 1/7
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void squared_relu(const float* x, float* y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        float v = x[i] > 0 ? x[i] : 0;
        y[i] = v * v;
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.squared_relu(x, y, x.numel())
        return y
