"""Logarithm of the sum of exponentials of each row."""

import torch
from torch import nn

TAGS = ("reduction", "softmax")
SIZES = {
    "cpu": {"ROWS": 4500, "COLS": 1001},
    "gpu": {"ROWS": 131072, "COLS": 2001},
}
ROWS = 4500
COLS = 1001


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(x, dim=1)


def get_inputs():
    return [torch.randn(ROWS, COLS) * 4.0]


def get_init_inputs():
    return []
