"""Running sum along each row, from its end to its start."""

import torch
from torch import nn

TAGS = ("representative", "scan")
SIZES = {
    "cpu": {"ROWS": 9000, "COLS": 403},
    "gpu": {"ROWS": 131072, "COLS": 1003},
}
ROWS = 9000
COLS = 403


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cumsum(x.flip(1), dim=1).flip(1)


def get_inputs():
    return [torch.randn(ROWS, COLS)]


def get_init_inputs():
    return []
