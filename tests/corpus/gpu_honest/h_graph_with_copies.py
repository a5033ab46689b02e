# honest: graph used properly: captured once, and each call copies its input in and its output out
# task: local/gpu_gate

import torch
from torch import nn

from kernelopt.inline import cuda

LIB = cuda(r"""
__device__ float gate(float v) { return tanhf(v) / (1.0f + expf(-v)); }
extern "C" __global__ void gate_all(const float* x, float* y, long long n) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) y[i] = gate(x[i]);
}
""")


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.graph = self.into = self.out = None

    def capture(self, shape, device):
        self.into = torch.zeros(shape, device=device)
        self.out = torch.zeros(shape, device=device)
        n = self.into.numel()
        LIB.gate_all[(n + 255) // 256, 256](self.into, self.out, n)
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            LIB.gate_all[(n + 255) // 256, 256](self.into, self.out, n)

    def forward(self, x):
        if self.graph is None or self.into.shape != x.shape:
            self.capture(x.shape, x.device)
        self.into.copy_(x)
        self.graph.replay()
        y = torch.empty_like(x)
        y.copy_(self.out)
        return y
