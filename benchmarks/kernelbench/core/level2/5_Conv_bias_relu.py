"""Convolution, then a bias for each channel and ReLU."""

import torch
from torch import nn

TAGS = ("conv", "elementwise")
SIZES = {
    "cpu": {"BATCH": 12, "IN_CHANNELS": 16, "OUT_CHANNELS": 33, "HEIGHT": 63, "WIDTH": 65, "KERNEL": 3},
    "gpu": {"BATCH": 64, "IN_CHANNELS": 64, "OUT_CHANNELS": 129, "HEIGHT": 159, "WIDTH": 161, "KERNEL": 3},
}
BATCH = 12
IN_CHANNELS = 16
OUT_CHANNELS = 33
HEIGHT = 63
WIDTH = 65
KERNEL = 3


class Model(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, kernel: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, bias=False)
        self.bias = nn.Parameter(0.5 * torch.randn(out_channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv(x) + self.bias)


def get_inputs():
    return [torch.randn(BATCH, IN_CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [IN_CHANNELS, OUT_CHANNELS, KERNEL]
