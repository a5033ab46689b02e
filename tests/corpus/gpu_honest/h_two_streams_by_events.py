# honest: streams joined by events: forks and joins by events
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
        self.side = self.begun = self.done = None

    def forward(self, x):
        if self.side is None:
            self.side = torch.cuda.Stream()
            self.begun, self.done = torch.cuda.Event(), torch.cuda.Event()
        x = x.contiguous()
        y = torch.empty_like(x)
        half = x.numel() // 2
        flat, out = x.view(-1), y.view(-1)
        self.begun.record()
        self.side.wait_event(self.begun)
        with torch.cuda.stream(self.side):
            LIB.gate_all[(half + 255) // 256, 256](flat[:half], out[:half], half)
            self.done.record()
        rest = x.numel() - half
        LIB.gate_all[(rest + 255) // 256, 256](flat[half:], out[half:], rest)
        torch.cuda.current_stream().wait_event(self.done)
        return y
