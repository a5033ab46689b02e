"""Softmax over each row."""

import torch
from torch import nn

TAGS = ("representative", "softmax")
SIZES = {
    "cpu": {"ROWS": 6500, "COLS": 777},
    "gpu": {"ROWS": 131072, "COLS": 2049},
}
ROWS = 6500
COLS = 777


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x, dim=1)


def get_inputs():
    return [torch.randn(ROWS, COLS) * 3.0]


def get_init_inputs():
    return []
