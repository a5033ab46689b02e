"""Transpose through shared memory: tiles of 64 by 64, 128-bit loads and stores where rows are aligned."""

import cupy as cp
import numpy as np
import torch
from torch import nn

SOURCE = r"""
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

extern "C" __global__ void __launch_bounds__(256)
transpose(const float* x, float* y, int rows, int cols) {
    __shared__ float tile[64][65];  // one more column, so that a column of it meets all banks
    int row0 = blockIdx.y * 64, col0 = blockIdx.x * 64, tx = threadIdx.x % 16, ty = threadIdx.x / 16;
    float v[4][4];
    #pragma unroll
    for (int p = 0; p < 4; ++p) {
        int r = row0 + ty + 16 * p;
        if (r < rows) load4(v[p], x + (size_t)r * cols, col0 + 4 * tx, cols, 0.0f);
    }
    #pragma unroll
    for (int p = 0; p < 4; ++p)
        for (int k = 0; k < 4; ++k) tile[ty + 16 * p][4 * tx + k] = v[p][k];
    __syncthreads();
    #pragma unroll
    for (int p = 0; p < 4; ++p) {
        int c = ty + 16 * p;
        for (int k = 0; k < 4; ++k) v[p][k] = tile[4 * tx + k][c];
        if (col0 + c < cols) store4(y + (size_t)(col0 + c) * rows, row0 + 4 * tx, rows, v[p]);
    }
}
"""
transpose = cp.RawKernel(SOURCE, "transpose")


def launch(kernel: cp.RawKernel, grid: int | tuple, block: int, *arguments: object) -> None:
    """Start it on torch's current stream; tensors become cupy's arrays without a copy, through DLPack."""
    with cp.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
        values = [cp.from_dlpack(a) if isinstance(a, torch.Tensor) else np.int32(a) for a in arguments]
        kernel(grid if isinstance(grid, tuple) else (grid,), (block,), tuple(values))


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        rows, cols = x.shape
        y = x.new_empty(cols, rows)
        launch(transpose, ((cols + 63) // 64, (rows + 63) // 64), 256, x, y, rows, cols)
        return y
