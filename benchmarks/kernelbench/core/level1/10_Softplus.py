"""Softplus, log(1 + exp(x)), over a range wide enough that a naive exp would overflow."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("elementwise",)
SIZES = {
    "cpu": {"ROWS": 2002, "COLS": 1003},
    "gpu": {"ROWS": 32768, "COLS": 8191},
}
ROWS = 2002
COLS = 1003


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.softplus(x)


def get_inputs():
    return [torch.randn(ROWS, COLS) * 30.0]


def get_init_inputs():
    return []
