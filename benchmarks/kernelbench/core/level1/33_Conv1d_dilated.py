"""One-dimensional convolution with gaps between the taps of its kernel."""

import torch
from torch import nn

TAGS = ("conv",)
SIZES = {
    "cpu": {
        "BATCH": 12,
        "IN_CHANNELS": 48,
        "OUT_CHANNELS": 60,
        "LENGTH": 1999,
        "KERNEL": 5,
        "DILATION": 3,
    },
    "gpu": {
        "BATCH": 64,
        "IN_CHANNELS": 192,
        "OUT_CHANNELS": 240,
        "LENGTH": 8191,
        "KERNEL": 5,
        "DILATION": 3,
    },
}
BATCH = 12
IN_CHANNELS = 48
OUT_CHANNELS = 60
LENGTH = 1999
KERNEL = 5
DILATION = 3


class Model(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, kernel: int, dilation: int):
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


def get_inputs():
    return [torch.randn(BATCH, IN_CHANNELS, LENGTH)]


def get_init_inputs():
    return [IN_CHANNELS, OUT_CHANNELS, KERNEL, DILATION]
