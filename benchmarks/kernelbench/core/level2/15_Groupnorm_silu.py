"""Group normalisation of image channels, then SiLU."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("norm", "elementwise")
SIZES = {
    "cpu": {"BATCH": 13, "CHANNELS": 64, "HEIGHT": 75, "WIDTH": 77, "GROUPS": 8},
    "gpu": {"BATCH": 64, "CHANNELS": 256, "HEIGHT": 125, "WIDTH": 127, "GROUPS": 8},
}
BATCH = 13
CHANNELS = 64
HEIGHT = 75
WIDTH = 77
GROUPS = 8


class Model(nn.Module):
    def __init__(self, groups: int, channels: int):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(channels))
        self.bias = nn.Parameter(0.2 * torch.randn(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.group_norm(x, self.groups, self.weight, self.bias, 1e-5)
        return F.silu(x)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH) * 2.0 + 0.5]


def get_init_inputs():
    return [GROUPS, CHANNELS]
