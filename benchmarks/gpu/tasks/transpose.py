"""Transpose of a matrix, written out in the new order."""

import torch
from torch import nn

TAGS = ("layout",)
SIZES = {
    "cpu": {"ROWS": 1537, "COLS": 1030},
    "gpu": {"ROWS": 16385, "COLS": 16386},
}
ROWS = 1537
COLS = 1030


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.t().contiguous()


def get_inputs():
    return [torch.randn(ROWS, COLS)]


def get_init_inputs():
    return []
