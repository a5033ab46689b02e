"""Depthwise and pointwise convolutions with GELU between them, added to the input."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("conv", "elementwise")
SIZES = {
    "cpu": {"BATCH": 8, "CHANNELS": 40, "EXPANSION": 2, "HEIGHT": 47, "WIDTH": 45},
    "gpu": {"BATCH": 64, "CHANNELS": 160, "EXPANSION": 2, "HEIGHT": 113, "WIDTH": 111},
}
BATCH = 8
CHANNELS = 40
EXPANSION = 2
HEIGHT = 47
WIDTH = 45


class Model(nn.Module):
    def __init__(self, channels: int, expansion: int):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.expand = nn.Conv2d(channels, expansion * channels, 1)
        self.shrink = nn.Conv2d(expansion * channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.gelu(self.expand(self.depthwise(x)))
        return x + self.shrink(y)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [CHANNELS, EXPANSION]
