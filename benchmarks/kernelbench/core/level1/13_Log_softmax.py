"""Logarithm of the softmax over the channels, which are not the last axis."""

import torch
from torch import nn

TAGS = ("softmax", "layout")
SIZES = {
    "cpu": {"BATCH": 32, "CHANNELS": 150, "LENGTH": 1001},
    "gpu": {"BATCH": 64, "CHANNELS": 512, "LENGTH": 8001},
}
BATCH = 32
CHANNELS = 150
LENGTH = 1001


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(x, dim=1)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, LENGTH) * 2.0]


def get_init_inputs():
    return []
