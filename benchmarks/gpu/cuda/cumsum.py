"""Running sum along each row: four elements a thread, shuffles within a warp, one barrier pair a chunk."""

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
__device__ __forceinline__ void store4(float* row, int i, int n, const float v[4]) {
    if (i >= 0 && i + 4 <= n && ((size_t)(row + i) & 15) == 0) {
        *(float4*)(row + i) = make_float4(v[0], v[1], v[2], v[3]);
    } else {
        #pragma unroll
        for (int k = 0; k < 4; ++k) if (i + k >= 0 && i + k < n) row[i + k] = v[k];
    }
}

extern "C" __global__ void __launch_bounds__(256) cumsum_rows(const float* x, float* y, int cols) {
    __shared__ float totals[2][8];  // of the warps, for this chunk and the last
    const float* row = x + (size_t)blockIdx.x * cols;
    float* out = y + (size_t)blockIdx.x * cols;
    int lead = ((size_t)row >> 2) & 3, lane = threadIdx.x % 32, warp = threadIdx.x / 32, turn = 0;
    float carry = 0.0f;
    for (int base = -lead; base < cols; base += 4 * 256, turn ^= 1) {
        int i = base + 4 * threadIdx.x;
        float v[4];
        load4(v, row, i, cols, 0.0f);
        for (int k = 1; k < 4; ++k) v[k] += v[k - 1];
        float before = v[3];
        #pragma unroll
        for (int d = 1; d < 32; d <<= 1) {
            float o = __shfl_up_sync(0xffffffffu, before, d);
            if (lane >= d) before += o;
        }
        if (lane == 31) totals[turn][warp] = before;
        before = __shfl_up_sync(0xffffffffu, before, 1);
        __syncthreads();
        float offset = carry + (lane ? before : 0.0f);
        for (int w = 0; w < 8; ++w) {
            if (w < warp) offset += totals[turn][w];
            carry += totals[turn][w];
        }
        for (int k = 0; k < 4; ++k) v[k] += offset;
        store4(out, i, cols, v);
    }
}
"""
lib = cuda(SOURCE)


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y = torch.empty_like(x)
        lib.cumsum_rows[x.shape[0], 256](x, y, x.shape[1])
        return y
