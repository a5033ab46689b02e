# honest: workspace reuse: partial sums go to a workspace that is kept between calls and written anew in each
# task: local/gpu_row_total

import torch
from torch import nn

from kernelopt.inline import cuda

LIB = cuda(r"""
__device__ float warp_sum(float v) {
    for (int lane = 16; lane > 0; lane /= 2) v += __shfl_down_sync(0xffffffffu, v, lane);
    return v;
}
extern "C" __global__ void part(const float* x, float* parts, int cols, int split) {
    const float* row = x + (long long)blockIdx.y * cols;
    float sum = 0.0f;
    for (int c = blockIdx.x * blockDim.x + threadIdx.x; c < cols; c += split * blockDim.x) sum += row[c] * row[c];
    __shared__ float warps[32];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {
        sum = warp_sum(threadIdx.x < blockDim.x / 32 ? warps[threadIdx.x] : 0.0f);
        if (threadIdx.x == 0) parts[(long long)blockIdx.y * split + blockIdx.x] = sum;
    }
}
extern "C" __global__ void total(const float* parts, float* y, int rows, int split) {
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    float sum = 0.0f;
    for (int s = 0; s < split; ++s) sum += parts[(long long)row * split + s];
    y[row] = sum;
}
""")
SPLIT = 4


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.work = None

    def forward(self, x):
        x = x.contiguous()
        rows, cols = x.shape
        if self.work is None or self.work.numel() < rows * SPLIT:
            self.work = torch.empty(rows * SPLIT, device=x.device)
        y = torch.empty(rows, device=x.device)
        LIB.part[(SPLIT, rows), 256](x, self.work, cols, SPLIT)
        LIB.total[(rows + 127) // 128, 128](self.work, y, rows, SPLIT)
        return y
