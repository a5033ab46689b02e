"""A small task and an honest kernel for it, which tests spoil piece by piece."""

from kernelopt.task import Task

TASK = Task(
    id="scale",
    name="scale",
    suite="file",
    source="""
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.randn(37))

    def forward(self, x):
        return torch.relu(x * self.factor + self.bias)

def get_inputs():
    return [torch.rand(500, 37)]

def get_init_inputs():
    return [3.0]
""",
)

HONEST = r"""
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp(r'''
extern "C" void scale(const float* x, const float* b, float* y, int64_t rows, int64_t cols, float k) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) {
      float v = x[r * cols + c] * k + b[c];
      y[r * cols + c] = v > 0 ? v : 0;
    }
}
''')

class ModelNew(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.randn(37))

    def forward(self, x):
        y = torch.empty_like(x)
        lib.scale(x, self.bias, y, x.shape[0], x.shape[1], self.factor)
        return y
"""
