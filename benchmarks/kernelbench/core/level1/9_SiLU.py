"""Sigmoid-weighted linear unit."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("elementwise",)
SIZES = {
    "cpu": {"BATCH": 28, "CHANNELS": 60, "HEIGHT": 67, "WIDTH": 67},
    "gpu": {"BATCH": 64, "CHANNELS": 256, "HEIGHT": 127, "WIDTH": 127},
}
BATCH = 28
CHANNELS = 60
HEIGHT = 67
WIDTH = 67


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.silu(x)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH) * 2.0]


def get_init_inputs():
    return []
