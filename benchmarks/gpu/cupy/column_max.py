"""Largest value over the middle axis: a thread walks down one column, or four at a time."""

import cupy as cp
import numpy as np
import torch
from torch import nn

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
module = cp.RawModule(code=SOURCE)
column_max4 = module.get_function("column_max4")
column_max = module.get_function("column_max")


def launch(kernel: cp.RawKernel, grid: int | tuple, block: int, *arguments: object) -> None:
    """Start it on torch's current stream; cupy takes addresses and numpy's numbers."""
    kinds = {torch.Tensor: torch.Tensor.data_ptr, nn.Parameter: torch.Tensor.data_ptr}
    kinds |= {int: np.int32, float: np.float32}
    values = tuple(kinds[type(one)](one) for one in arguments)
    with cp.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
        kernel(grid if isinstance(grid, tuple) else (grid,), (block,), values)


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        batch, length, dim = x.shape
        y = x.new_empty(batch, dim)
        if dim % 4 == 0 and x.data_ptr() % 16 == 0:
            launch(column_max4, (batch, (dim // 4 + 127) // 128), 128, x, y, length, dim // 4)
        else:
            launch(column_max, (batch, (dim + 127) // 128), 128, x, y, length, dim)
        return y
