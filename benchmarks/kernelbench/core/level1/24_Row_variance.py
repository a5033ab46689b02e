"""Unbiased variance of each row."""

import torch
from torch import nn

TAGS = ("reduction",)
SIZES = {
    "cpu": {"ROWS": 2000, "COLS": 999},
    "gpu": {"ROWS": 131072, "COLS": 1999},
}
ROWS = 2000
COLS = 999


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.var(x, dim=1)


def get_inputs():
    # A spread of its own for each row, so that no single figure answers them all.
    return [torch.randn(ROWS, COLS) * (0.5 + torch.rand(ROWS, 1)) + 1.0]


def get_init_inputs():
    return []
