"""Sum of each row of a matrix."""

import torch
from torch import nn

TAGS = ("reduction",)
SIZES = {
    "cpu": {"ROWS": 3001, "COLS": 1030},
    "gpu": {"ROWS": 65536, "COLS": 4097},
}
ROWS = 3001
COLS = 1030


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum(dim=1)


def get_inputs():
    # Scaled so that the sums are of order one.
    return [torch.randn(ROWS, COLS) / COLS**0.5]


def get_init_inputs():
    return []
