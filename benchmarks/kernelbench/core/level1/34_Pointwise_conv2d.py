"""Convolution with a one by one kernel: a matrix product over the channels of each pixel."""

import torch
from torch import nn

TAGS = ("conv", "matmul")
SIZES = {
    "cpu": {"BATCH": 12, "IN_CHANNELS": 60, "OUT_CHANNELS": 90, "HEIGHT": 57, "WIDTH": 55},
    "gpu": {"BATCH": 64, "IN_CHANNELS": 250, "OUT_CHANNELS": 500, "HEIGHT": 113, "WIDTH": 111},
}
BATCH = 12
IN_CHANNELS = 60
OUT_CHANNELS = 90
HEIGHT = 57
WIDTH = 55


class Model(nn.Module):
    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


def get_inputs():
    return [torch.randn(BATCH, IN_CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [IN_CHANNELS, OUT_CHANNELS]
