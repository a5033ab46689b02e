# honest: tiles in shared memory: a float32 product by tiles, in float32
# task: local/gpu_project

import torch
from torch import nn

from kernelopt.inline import cuda

LIB = cuda(r"""
#define TILE 16
extern "C" __global__ void project(const float* x, const float* w, float* y, int rows, int inner, int cols) {
    __shared__ float a[TILE][TILE + 1], b[TILE][TILE + 1];
    int row = blockIdx.y * TILE + threadIdx.y, col = blockIdx.x * TILE + threadIdx.x;
    float sum = 0.0f;
    for (int k = 0; k < inner; k += TILE) {
        int i = k + threadIdx.x;
        int wide = blockIdx.x * TILE + threadIdx.y;
        a[threadIdx.y][threadIdx.x] = row < rows && i < inner ? x[(long long)row * inner + i] : 0.0f;
        b[threadIdx.y][threadIdx.x] = wide < cols && i < inner ? w[(long long)wide * inner + i] : 0.0f;
        __syncthreads();
        for (int j = 0; j < TILE; ++j) sum += a[threadIdx.y][j] * b[threadIdx.x][j];
        __syncthreads();
    }
    if (row < rows && col < cols) y[(long long)row * cols + col] = sum;
}
""")


class ModelNew(nn.Module):
    def __init__(self, inner, cols):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(cols, inner))

    def forward(self, x):
        x = x.contiguous()
        rows, inner = x.shape
        cols = self.weight.shape[0]
        y = torch.empty(rows, cols, device=x.device)
        LIB.project[((cols + 15) // 16, (rows + 15) // 16), (16, 16)](x, self.weight, y, rows, inner, cols)
        return y
