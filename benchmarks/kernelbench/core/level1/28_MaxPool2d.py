"""Largest value in overlapping windows of an image."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("representative", "pooling")
SIZES = {
    "cpu": {"BATCH": 4, "CHANNELS": 48, "HEIGHT": 97, "WIDTH": 95, "KERNEL": 3, "STRIDE": 2, "PADDING": 1},
    "gpu": {"BATCH": 64, "CHANNELS": 64, "HEIGHT": 225, "WIDTH": 223, "KERNEL": 3, "STRIDE": 2, "PADDING": 1},
}
BATCH = 4
CHANNELS = 48
HEIGHT = 97
WIDTH = 95
KERNEL = 3
STRIDE = 2
PADDING = 1


class Model(nn.Module):
    def __init__(self, kernel: int, stride: int, padding: int):
        super().__init__()
        self.kernel = kernel
        self.stride = stride
        self.padding = padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(x, self.kernel, self.stride, self.padding)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [KERNEL, STRIDE, PADDING]
