# honest: counter in device memory: the block that comes last adds up; its counter is set back for the next call
# task: local/gpu_row_total

import torch
from torch import nn

from kernelopt.inline import cuda

LIB = cuda(r"""
extern "C" __global__ void total(const float* x, float* parts, unsigned* done, float* y, int cols, int split) {
    int row = blockIdx.y;
    __shared__ float sums[256];
    __shared__ bool last;
    float sum = 0.0f;
    for (int c = blockIdx.x * 256 + threadIdx.x; c < cols; c += split * 256) {
        float v = x[(long long)row * cols + c];
        sum += v * v;
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        parts[row * split + blockIdx.x] = sums[0];
        __threadfence();
        last = atomicInc(&done[row], split - 1) == split - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        float all = 0.0f;
        for (int s = 0; s < split; ++s) all += ((volatile float*)parts)[row * split + s];
        y[row] = all;
    }
}
""")
SPLIT = 2


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        rows, cols = x.shape
        parts = torch.empty(rows * SPLIT, device=x.device)
        done = torch.zeros(rows, dtype=torch.int32, device=x.device)
        y = torch.empty(rows, device=x.device)
        LIB.total[(SPLIT, rows), 256](x, parts, done, y, cols, SPLIT)
        return y
