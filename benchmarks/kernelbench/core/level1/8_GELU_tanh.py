"""Gaussian error linear unit in its tanh form."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("elementwise",)
SIZES = {
    "cpu": {"ROWS": 2048, "COLS": 2048},
    "gpu": {"ROWS": 32768, "COLS": 8192},
}
ROWS = 2048
COLS = 2048


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(x, approximate="tanh")


def get_inputs():
    return [torch.randn(ROWS, COLS) * 2.0]


def get_init_inputs():
    return []
