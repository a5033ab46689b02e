# honest: side stream with a proper wait: half of the work on a stream of its own, which the current stream waits for
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
        self.side = None

    def forward(self, x):
        if self.side is None:
            self.side = torch.cuda.Stream()
        x = x.contiguous()
        y = torch.empty_like(x)
        flat, out = x.view(-1), y.view(-1)
        n, half = x.numel(), x.numel() // 2
        current = torch.cuda.current_stream()
        self.side.wait_stream(current)
        with torch.cuda.stream(self.side):
            LIB.gate_all[(half + 255) // 256, 256](flat, out, half)
        rest = n - half
        LIB.gate_all[(rest + 255) // 256, 256](flat[half:], out[half:], rest)
        current.wait_stream(self.side)
        return y
