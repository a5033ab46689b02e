"""Two-dimensional convolution of each channel with its own kernel."""

import torch
from torch import nn

TAGS = ("conv",)
SIZES = {
    "cpu": {"BATCH": 16, "CHANNELS": 66, "HEIGHT": 63, "WIDTH": 61, "KERNEL": 3},
    "gpu": {"BATCH": 64, "CHANNELS": 258, "HEIGHT": 127, "WIDTH": 125, "KERNEL": 3},
}
BATCH = 16
CHANNELS = 66
HEIGHT = 63
WIDTH = 61
KERNEL = 3


class Model(nn.Module):
    def __init__(self, channels: int, kernel: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [CHANNELS, KERNEL]
