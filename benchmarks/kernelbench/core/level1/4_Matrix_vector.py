"""Product of a matrix and a vector."""

import torch
from torch import nn

TAGS = ("matmul", "reduction")
SIZES = {
    "cpu": {"ROWS": 2700, "COLS": 2900},
    "gpu": {"ROWS": 16384, "COLS": 16000},
}
ROWS = 2700
COLS = 2900


class Model(nn.Module):
    def forward(self, a: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.matmul(a, v)


def get_inputs():
    # Scaled so that the entries of the product are of order one.
    return [torch.randn(ROWS, COLS), torch.randn(COLS) / COLS**0.5]


def get_init_inputs():
    return []
