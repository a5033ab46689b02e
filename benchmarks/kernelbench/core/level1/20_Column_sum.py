"""Sum over the rows of a matrix, leaving one figure a column."""

import torch
from torch import nn

TAGS = ("reduction",)
SIZES = {
    "cpu": {"ROWS": 6501, "COLS": 1201},
    "gpu": {"ROWS": 65537, "COLS": 4097},
}
ROWS = 6501
COLS = 1201


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum(dim=0)


def get_inputs():
    # Scaled so that the sums are of order one.
    return [torch.randn(ROWS, COLS) / ROWS**0.5]


def get_init_inputs():
    return []
