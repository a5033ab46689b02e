"""Square of the rectified linear unit."""

import torch
from torch import nn

TAGS = ("elementwise",)
SIZES = {
    "cpu": {"ROWS": 3200, "COLS": 2047},
    "gpu": {"ROWS": 32768, "COLS": 8191},
}
ROWS = 3200
COLS = 2047


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.square(torch.relu(x))


def get_inputs():
    return [torch.randn(ROWS, COLS)]


def get_init_inputs():
    return []
