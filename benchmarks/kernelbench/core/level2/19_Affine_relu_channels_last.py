"""Affine step and ReLU for each channel, the result stored with channels last."""

import torch
from torch import nn

TAGS = ("elementwise", "layout")
SIZES = {
    "cpu": {"BATCH": 14, "CHANNELS": 50, "HEIGHT": 63, "WIDTH": 61},
    "gpu": {"BATCH": 64, "CHANNELS": 250, "HEIGHT": 127, "WIDTH": 125},
}
BATCH = 14
CHANNELS = 50
HEIGHT = 63
WIDTH = 61


class Model(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(channels, 1, 1))
        self.shift = nn.Parameter(0.5 * torch.randn(channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(x * self.scale + self.shift)
        return x.permute(0, 2, 3, 1).contiguous()


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [CHANNELS]
