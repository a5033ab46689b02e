# honest: vector loads: float4 a thread, and a scalar rest
# task: local/gpu_gate

import torch
from torch import nn

from kernelopt.inline import cuda

LIB = cuda(r"""
__device__ float gate(float v) { return tanhf(v) / (1.0f + expf(-v)); }
extern "C" __global__ void gate_wide(const float4* x, float4* y, long long quads) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= quads) return;
    float4 v = x[i];
    y[i] = make_float4(gate(v.x), gate(v.y), gate(v.z), gate(v.w));
}
extern "C" __global__ void gate_rest(const float* x, float* y, long long from, long long n) {
    long long i = from + threadIdx.x;
    if (i < n) y[i] = gate(x[i]);
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        n = x.numel()
        if n >= 4:
            LIB.gate_wide[(n // 4 + 255) // 256, 256](x, y, n // 4)
        if n % 4:
            LIB.gate_rest[1, 4](x, y, n - n % 4, n)
        return y
