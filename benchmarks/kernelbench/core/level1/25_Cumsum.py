"""Running sum along each row."""

import torch
from torch import nn

TAGS = ("scan",)
SIZES = {
    "cpu": {"ROWS": 9000, "COLS": 501},
    "gpu": {"ROWS": 131072, "COLS": 1001},
}
ROWS = 9000
COLS = 501


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cumsum(x, dim=1)


def get_inputs():
    return [torch.randn(ROWS, COLS)]


def get_init_inputs():
    return []
