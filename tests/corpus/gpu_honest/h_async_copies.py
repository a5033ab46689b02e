# honest: asynchronous copies: tiles come by cp.async while the ones before are worked on
# task: local/gpu_gate

import torch
from torch import nn

from kernelopt.inline import cuda

LIB = cuda(r"""
#include <cuda_pipeline.h>
__device__ float gate(float v) { return tanhf(v) / (1.0f + expf(-v)); }
extern "C" __global__ void gate_piped(const float4* x, float4* y, int tiles) {
    __shared__ float4 tile[2][256];
    int mine = blockIdx.x, t = threadIdx.x, stage = 0;
    if (mine < tiles) __pipeline_memcpy_async(&tile[0][t], &x[(long long)mine * 256 + t], sizeof(float4));
    __pipeline_commit();
    for (; mine < tiles; mine += gridDim.x, stage ^= 1) {
        int next = mine + gridDim.x;
        if (next < tiles)
            __pipeline_memcpy_async(&tile[stage ^ 1][t], &x[(long long)next * 256 + t], sizeof(float4));
        __pipeline_commit();
        __pipeline_wait_prior(1);
        float4 v = tile[stage][t];
        y[(long long)mine * 256 + t] = make_float4(gate(v.x), gate(v.y), gate(v.z), gate(v.w));
    }
}
extern "C" __global__ void gate_rest(const float* x, float* y, long long from, long long n) {
    for (long long i = from + threadIdx.x; i < n; i += blockDim.x) y[i] = gate(x[i]);
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        n = x.numel()
        tiles = n // 1024
        if tiles:
            LIB.gate_piped[min(tiles, 512), 256](x, y, tiles)
        if n % 1024:
            LIB.gate_rest[1, 256](x, y, 1024 * tiles, n)
        return y
