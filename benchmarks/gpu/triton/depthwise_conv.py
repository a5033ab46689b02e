"""Depthwise 3 by 3 convolution: nine shifted tiles; eight of them come from the first-level cache."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def depthwise3(
    x_ptr, weight_ptr, bias_ptr, y_ptr, channels, height, width, ROWS: tl.constexpr, COLS: tl.constexpr
):
    plane = tl.program_id(0).to(tl.int64)
    channel = plane % channels
    row = (tl.program_id(2) * ROWS + tl.arange(0, ROWS))[:, None]
    col = (tl.program_id(1) * COLS + tl.arange(0, COLS))[None, :]
    x_ptr += plane * height * width
    total = tl.zeros((ROWS, COLS), tl.float32) + tl.load(bias_ptr + channel)
    for r in tl.static_range(3):
        for c in tl.static_range(3):
            at_row, at_col = row + (r - 1), col + (c - 1)
            inside = (at_row >= 0) & (at_row < height) & (at_col >= 0) & (at_col < width)
            x = tl.load(x_ptr + at_row * width + at_col, mask=inside, other=0.0)
            total += x * tl.load(weight_ptr + channel * 9 + r * 3 + c)
    y_ptr += plane * height * width
    tl.store(y_ptr + row * width + col, total, mask=(row < height) & (col < width))


class ModelNew(nn.Module):
    def __init__(self, channels: int, kernel: int):
        super().__init__()
        if kernel != 3:
            raise ValueError(f"written for 3 by 3, not {kernel} by {kernel}")
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, y = x.contiguous(), torch.empty_like(x)
        batch, channels, height, width = x.shape
        grid = (batch * channels, triton.cdiv(width, 128), triton.cdiv(height, 8))
        tensors = (x, self.conv.weight, self.conv.bias, y)
        depthwise3[grid](*tensors, channels, height, width, ROWS=8, COLS=128, num_warps=4)
        return y
