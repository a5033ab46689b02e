"""Sum of each row: one warp a row, eight rows a block, no barrier; partial sums keep the error small."""

import torch
from torch import nn

from kernelopt.inline import cuda

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
__device__ __forceinline__ float warp_sum(float v) {
    #pragma unroll
    for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
    return v;
}

extern "C" __global__ void __launch_bounds__(256) row_sum(const float* x, float* y, int rows, int cols) {
    int at = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (at >= rows) return;
    const float* row = x + (size_t)at * cols;
    int lead = ((size_t)row >> 2) & 3;  // elements between the last 16-byte boundary and the row
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int i = 4 * lane - lead; i < cols; i += 4 * 4 * 32) {
        float v[4][4];
        #pragma unroll
        for (int p = 0; p < 4; ++p) load4(v[p], row, i + p * 4 * 32, cols, 0.0f);
        #pragma unroll
        for (int p = 0; p < 4; ++p) sum[p] += (v[p][0] + v[p][1]) + (v[p][2] + v[p][3]);
    }
    float total = warp_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
    if (lane == 0) y[at] = total;
}
"""
lib = cuda(SOURCE)


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y, (rows, cols) = x.new_empty(x.shape[0]), x.shape
        lib.row_sum[(rows + 7) // 8, 256](x, y, rows, cols)
        return y
