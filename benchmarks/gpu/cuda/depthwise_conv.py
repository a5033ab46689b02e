"""Depthwise 3 by 3 convolution: a warp slides down 30 columns; neighbours come by shuffles, rows once."""

import torch
from torch import nn

from kernelopt.inline import cuda

SOURCE = r"""
constexpr int STRIP = 32;  // rows that a warp makes, of which it reads two more

extern "C" __global__ void __launch_bounds__(128)
depthwise3(const float* __restrict__ x, const float* __restrict__ weight, const float* __restrict__ bias,
           float* __restrict__ y, int channels, int height, int width) {
    int lane = threadIdx.x % 32, channel = blockIdx.x % channels;
    int col = blockIdx.y * 30 + lane - 1, first = (blockIdx.z * 4 + threadIdx.x / 32) * STRIP;
    const float* plane = x + (size_t)blockIdx.x * height * width;
    float* out = y + (size_t)blockIdx.x * height * width;
    bool inside = col >= 0 && col < width, writes = inside && lane > 0 && lane < 31;
    float w[9], b = bias[channel];
    #pragma unroll
    for (int k = 0; k < 9; ++k) w[k] = weight[channel * 9 + k];
    float upper = b, middle = b;  // sums of the two rows above that are not complete yet
    #pragma unroll 4
    for (int r = first - 1; r <= min(first + STRIP, height); ++r) {
        float here = inside && r >= 0 && r < height ? plane[r * width + col] : 0.0f;
        float left = __shfl_up_sync(0xffffffffu, here, 1), right = __shfl_down_sync(0xffffffffu, here, 1);
        float done = upper + w[6] * left + w[7] * here + w[8] * right;  // as the lower row of r - 1
        upper = middle + w[3] * left + w[4] * here + w[5] * right;
        middle = b + w[0] * left + w[1] * here + w[2] * right;
        if (writes && r - 1 >= first) out[(r - 1) * width + col] = done;
    }
}
"""
lib = cuda(SOURCE)


class ModelNew(nn.Module):
    def __init__(self, channels: int, kernel: int):
        super().__init__()
        if kernel != 3:
            raise ValueError(f"written for 3 by 3, not {kernel} by {kernel}")
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, y = x.contiguous(), torch.empty_like(x)
        batch, channels, height, width = x.shape
        grid = (batch * channels, (width + 29) // 30, (height + 127) // 128)
        tensors = (x, self.conv.weight, self.conv.bias, y)
        lib.depthwise3[grid, 128](*tensors, channels, height, width)
        return y
