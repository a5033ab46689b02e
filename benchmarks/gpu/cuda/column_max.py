"""Largest value over the middle axis: a thread walks down one column, or four at a time."""

import torch
from torch import nn

from kernelopt.inline import cuda

SOURCE = r"""
__device__ __forceinline__ float larger(float a, float b) { return b > a || b != b ? b : a; }  // NaN wins

extern "C" __global__ void __launch_bounds__(128)
column_max4(const float4* __restrict__ x, float4* __restrict__ y, int length, int cols) {
    int col = blockIdx.y * blockDim.x + threadIdx.x;
    if (col >= cols) return;
    const float4* at = x + (size_t)blockIdx.x * length * cols + col;
    float4 m = *at;
    #pragma unroll 8
    for (int i = 1; i < length; ++i) {
        float4 v = at[(size_t)i * cols];
        m = make_float4(larger(m.x, v.x), larger(m.y, v.y), larger(m.z, v.z), larger(m.w, v.w));
    }
    y[(size_t)blockIdx.x * cols + col] = m;
}

extern "C" __global__ void __launch_bounds__(128)
column_max(const float* __restrict__ x, float* __restrict__ y, int length, int cols) {
    int col = blockIdx.y * blockDim.x + threadIdx.x;
    if (col >= cols) return;
    const float* at = x + (size_t)blockIdx.x * length * cols + col;
    float m = *at;
    #pragma unroll 16
    for (int i = 1; i < length; ++i) m = larger(m, at[(size_t)i * cols]);
    y[(size_t)blockIdx.x * cols + col] = m;
}
"""
lib = cuda(SOURCE)


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        batch, length, dim = x.shape
        y = x.new_empty(batch, dim)
        if dim % 4 == 0 and x.data_ptr() % 16 == 0:
            lib.column_max4[(batch, (dim // 4 + 127) // 128), 128](x, y, length, dim // 4)
        else:
            lib.column_max[(batch, (dim + 127) // 128), 128](x, y, length, dim)
        return y
