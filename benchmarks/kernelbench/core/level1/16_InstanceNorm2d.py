"""Normalisation of each image channel by its own mean and variance."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("norm", "reduction")
SIZES = {
    "cpu": {"BATCH": 12, "CHANNELS": 40, "HEIGHT": 91, "WIDTH": 89},
    "gpu": {"BATCH": 64, "CHANNELS": 128, "HEIGHT": 181, "WIDTH": 179},
}
BATCH = 12
CHANNELS = 40
HEIGHT = 91
WIDTH = 89


class Model(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(channels))
        self.bias = nn.Parameter(0.2 * torch.randn(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=1e-5)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH) * 2.0 + 0.5]


def get_init_inputs():
    return [CHANNELS]
