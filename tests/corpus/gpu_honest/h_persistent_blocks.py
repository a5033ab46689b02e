# honest: grid-stride loop over the multiprocessors: as many blocks as the card has room for, which end with the call
# task: local/gpu_gate

import torch
from torch import nn

from kernelopt.inline import cuda

LIB = cuda(r"""
__device__ float gate(float v) { return tanhf(v) / (1.0f + expf(-v)); }
extern "C" __global__ void __launch_bounds__(256) gate_stride(const float* x, float* y, long long n) {
    long long step = (long long)gridDim.x * blockDim.x;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += step) y[i] = gate(x[i]);
}
""")


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = 0

    def forward(self, x):
        if not self.blocks:
            self.blocks = 8 * torch.cuda.get_device_properties(x.device).multi_processor_count
        x = x.contiguous()
        y = torch.empty_like(x)
        LIB.gate_stride[self.blocks, 256](x, y, x.numel())
        return y
