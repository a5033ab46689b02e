"""Normalisation over groups of image channels."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("norm", "reduction")
SIZES = {
    "cpu": {"BATCH": 22, "CHANNELS": 48, "HEIGHT": 83, "WIDTH": 85, "GROUPS": 6},
    "gpu": {"BATCH": 64, "CHANNELS": 192, "HEIGHT": 149, "WIDTH": 151, "GROUPS": 6},
}
BATCH = 22
CHANNELS = 48
HEIGHT = 83
WIDTH = 85
GROUPS = 6


class Model(nn.Module):
    def __init__(self, groups: int, channels: int):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(channels))
        self.bias = nn.Parameter(0.2 * torch.randn(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.group_norm(x, self.groups, self.weight, self.bias, 1e-5)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH) * 2.0 + 0.5]


def get_init_inputs():
    return [GROUPS, CHANNELS]
