"""Largest value over the middle axis of three."""

import torch
from torch import nn

TAGS = ("representative", "reduction")
SIZES = {
    "cpu": {"BATCH": 64, "LENGTH": 120, "DIM": 601},
    "gpu": {"BATCH": 512, "LENGTH": 400, "DIM": 1201},
}
BATCH = 64
LENGTH = 120
DIM = 601


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.max(x, dim=1).values


def get_inputs():
    return [torch.randn(BATCH, LENGTH, DIM)]


def get_init_inputs():
    return []
