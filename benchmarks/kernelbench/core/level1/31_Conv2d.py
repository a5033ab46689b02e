"""Two-dimensional convolution with a three by three kernel."""

import torch
from torch import nn

TAGS = ("conv",)
SIZES = {
    "cpu": {"BATCH": 8, "IN_CHANNELS": 32, "OUT_CHANNELS": 64, "HEIGHT": 56, "WIDTH": 57, "KERNEL": 3},
    "gpu": {"BATCH": 64, "IN_CHANNELS": 128, "OUT_CHANNELS": 128, "HEIGHT": 112, "WIDTH": 113, "KERNEL": 3},
}
BATCH = 8
IN_CHANNELS = 32
OUT_CHANNELS = 64
HEIGHT = 56
WIDTH = 57
KERNEL = 3


class Model(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, kernel: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


def get_inputs():
    return [torch.randn(BATCH, IN_CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [IN_CHANNELS, OUT_CHANNELS, KERNEL]
