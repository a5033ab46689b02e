"""Batch normalisation with stored statistics, as at inference."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("norm", "elementwise")
SIZES = {
    "cpu": {"BATCH": 20, "CHANNELS": 60, "HEIGHT": 79, "WIDTH": 81},
    "gpu": {"BATCH": 64, "CHANNELS": 256, "HEIGHT": 127, "WIDTH": 129},
}
BATCH = 20
CHANNELS = 60
HEIGHT = 79
WIDTH = 81


class Model(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(channels))
        self.bias = nn.Parameter(0.2 * torch.randn(channels))
        self.register_buffer("mean", 0.5 * torch.randn(channels))
        self.register_buffer("var", 0.5 + torch.rand(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.batch_norm(x, self.mean, self.var, self.weight, self.bias, training=False, eps=1e-5)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [CHANNELS]
