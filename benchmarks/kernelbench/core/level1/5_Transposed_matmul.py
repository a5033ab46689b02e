"""Product of two matrices, the left one stored transposed."""

import torch
from torch import nn

TAGS = ("matmul", "layout")
SIZES = {
    "cpu": {"INNER": 700, "ROWS": 900, "COLS": 650},
    "gpu": {"INNER": 4096, "ROWS": 6000, "COLS": 4096},
}
INNER = 700
ROWS = 900
COLS = 650


class Model(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.matmul(a.T, b)


def get_inputs():
    # Scaled so that the entries of the product are of order one.
    return [torch.randn(INNER, ROWS), torch.randn(INNER, COLS) / INNER**0.5]


def get_init_inputs():
    return []
