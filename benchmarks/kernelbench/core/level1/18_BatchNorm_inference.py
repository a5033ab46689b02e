"""Batch normalisation with stored statistics, as at inference, written out."""

import torch
from torch import nn

TAGS = ("norm", "elementwise")
SIZES = {
    "cpu": {"BATCH": 10, "CHANNELS": 60, "HEIGHT": 79, "WIDTH": 81},
    "gpu": {"BATCH": 64, "CHANNELS": 256, "HEIGHT": 127, "WIDTH": 129},
}
BATCH = 10
CHANNELS = 60
HEIGHT = 79
WIDTH = 81


class Model(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(channels, 1, 1))
        self.bias = nn.Parameter(0.2 * torch.randn(channels, 1, 1))
        self.register_buffer("mean", 0.5 * torch.randn(channels, 1, 1))
        self.register_buffer("var", 0.5 + torch.rand(channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - self.mean) * torch.rsqrt(self.var + 1e-5)
        return x * self.weight + self.bias


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [CHANNELS]
