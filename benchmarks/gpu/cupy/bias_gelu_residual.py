"""Bias, GELU in its tanh form and a residual in one pass, four 128-bit loads a thread in flight."""

import cupy as cp
import numpy as np
import torch
from torch import nn

SOURCE = r"""
constexpr int PARTS = 4;  // groups of four elements a thread, a block's width apart

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

// 0.5 v (1 + tanh u) is v / (1 + exp(-2u)); the exponential may overflow to infinity, which gives zero.
__device__ __forceinline__ float gelu(float v) {
    return __fdividef(v, 1.0f + __expf(-1.5957691216f * (v + 0.044715f * v * v * v)));
}

extern "C" __global__ void __launch_bounds__(256)
bias_gelu_residual(const float* x, const float* bias, const float* residual, float* y, int count, int dim) {
    float v[PARTS][4], r[PARTS][4];
    int first = blockIdx.x * (blockDim.x * PARTS * 4) + threadIdx.x * 4;
    #pragma unroll
    for (int p = 0; p < PARTS; ++p) {
        load4(v[p], x, first + p * blockDim.x * 4, count, 0.0f);
        load4(r[p], residual, first + p * blockDim.x * 4, count, 0.0f);
    }
    #pragma unroll
    for (int p = 0; p < PARTS; ++p) {
        int i = first + p * blockDim.x * 4, col = i % dim;
        #pragma unroll
        for (int k = 0; k < 4; ++k) {
            v[p][k] = gelu(v[p][k] + bias[col]) + r[p][k];
            col = col + 1 == dim ? 0 : col + 1;
        }
        store4(y, i, count, v[p]);
    }
}
"""
bias_gelu_residual = cp.RawKernel(SOURCE, "bias_gelu_residual")


def launch(kernel: cp.RawKernel, grid: int | tuple, block: int, *arguments: object) -> None:
    """Start it on torch's current stream; tensors become cupy's arrays without a copy, through DLPack."""
    with cp.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
        values = [cp.from_dlpack(a) if isinstance(a, torch.Tensor) else np.int32(a) for a in arguments]
        kernel(grid if isinstance(grid, tuple) else (grid,), (block,), tuple(values))


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.bias = nn.Parameter(0.5 * torch.randn(dim))

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        x, residual = x.contiguous(), residual.contiguous()
        y, count = torch.empty_like(x), x.numel()  # up to 2**31 - 4096 elements
        launch(
            bias_gelu_residual,
            (count + 4095) // 4096,
            256,
            x,
            self.bias.detach(),
            residual,
            y,
            count,
            x.shape[-1],
        )
        return y
