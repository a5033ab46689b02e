"""Sum of two tensors and layer normalisation in one pass: one block a row, kept in registers."""

import cupy as cp
import numpy as np
import torch
from torch import nn

SOURCE = r"""
constexpr int PARTS = 4;  // groups of four neighbours that a thread keeps in registers

// Elements i..i+3 of a row of n; those outside become `other`. One 128-bit load wherever it is aligned.
__device__ __forceinline__ void load4(float v[4], const float* row, int i, int n, float other) {
    if (i >= 0 && i + 4 <= n && ((size_t)(row + i) & 15) == 0) {
        float4 f = *(const float4*)(row + i);
        v[0] = f.x; v[1] = f.y; v[2] = f.z; v[3] = f.w;
    } else {
        #pragma unroll
        for (int k = 0; k < 4; ++k) v[k] = i + k >= 0 && i + k < n ? row[i + k] : other;
    }
}
__device__ __forceinline__ void store4(float* row, int i, int n, const float v[4]) {
    if (i >= 0 && i + 4 <= n && ((size_t)(row + i) & 15) == 0) {
        *(float4*)(row + i) = make_float4(v[0], v[1], v[2], v[3]);
    } else {
        #pragma unroll
        for (int k = 0; k < 4; ++k) if (i + k >= 0 && i + k < n) row[i + k] = v[k];
    }
}
__device__ __forceinline__ float warp_sum(float v) {
    #pragma unroll
    for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
    return v;
}
__device__ __forceinline__ float block_sum(float v) {
    __shared__ float part[32];
    int lane = threadIdx.x % 32;
    v = warp_sum(v);
    __syncthreads();  // the last sum may still be read
    if (lane == 0) part[threadIdx.x / 32] = v;
    __syncthreads();
    return warp_sum(lane < blockDim.x / 32 ? part[lane] : 0.0f);
}

extern "C" __global__ void __launch_bounds__(1024)
residual_layernorm(const float* x, const float* residual, const float* weight, const float* bias, float* y,
                   int cols, float eps) {
    size_t start = (size_t)blockIdx.x * cols;
    int lead = ((size_t)(x + start) >> 2) & 3;  // elements between the last 16-byte boundary and the row
    float v[PARTS][4], r[PARTS][4], sum = 0.0f, squares = 0.0f;
    #pragma unroll
    for (int p = 0; p < PARTS; ++p) {
        int i = 4 * (p * blockDim.x + threadIdx.x) - lead;
        load4(v[p], x + start, i, cols, 0.0f);
        load4(r[p], residual + start, i, cols, 0.0f);
    }
    #pragma unroll
    for (int p = 0; p < PARTS; ++p)
        for (int k = 0; k < 4; ++k) sum += v[p][k] += r[p][k];
    float mean = block_sum(sum) / cols;
    #pragma unroll
    for (int p = 0; p < PARTS; ++p) {
        int i = 4 * (p * blockDim.x + threadIdx.x) - lead;
        for (int k = 0; k < 4; ++k) {
            v[p][k] -= mean;
            if (i + k >= 0 && i + k < cols) squares += v[p][k] * v[p][k];
        }
    }
    float scale = rsqrtf(block_sum(squares) / cols + eps);
    #pragma unroll
    for (int p = 0; p < PARTS; ++p) {
        int i = 4 * (p * blockDim.x + threadIdx.x) - lead;
        float w[4], b[4];
        load4(w, weight, i, cols, 0.0f);
        load4(b, bias, i, cols, 0.0f);
        for (int k = 0; k < 4; ++k) v[p][k] = v[p][k] * scale * w[k] + b[k];
        store4(y + start, i, cols, v[p]);
    }
}
"""
residual_layernorm = cp.RawKernel(SOURCE, "residual_layernorm")


def threads(cols: int) -> int:
    """Enough warps for a row with up to three elements of lead, 16 elements a thread."""
    if cols > 16 * 1024 - 3:
        raise ValueError(f"rows of {cols} elements do not fit into the registers of one block")
    return (cols + 3 + 511) // 512 * 32


def launch(kernel: cp.RawKernel, grid: int | tuple, block: int, *arguments: object) -> None:
    """Start it on torch's current stream; cupy takes addresses and numpy's numbers."""
    kinds = {torch.Tensor: torch.Tensor.data_ptr, nn.Parameter: torch.Tensor.data_ptr}
    kinds |= {int: np.int32, float: np.float32}
    values = tuple(kinds[type(one)](one) for one in arguments)
    with cp.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
        kernel(grid if isinstance(grid, tuple) else (grid,), (block,), values)


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        x, residual = x.contiguous(), residual.contiguous()
        y, dim = torch.empty_like(x), x.shape[-1]
        tensors = (x, residual, self.weight, self.bias, y)
        launch(residual_layernorm, x.numel() // dim, threads(dim), *tensors, dim, 1e-5)
        return y
