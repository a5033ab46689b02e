"""Bias, GELU in its tanh form, then the sum with a residual."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("representative", "elementwise")
SIZES = {
    "cpu": {"ROWS": 1300, "DIM": 1501},
    "gpu": {"ROWS": 65536, "DIM": 2049},
}
ROWS = 1300
DIM = 1501


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.bias = nn.Parameter(0.5 * torch.randn(dim))

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        x = F.gelu(x + self.bias, approximate="tanh")
        return x + residual


def get_inputs():
    return [torch.randn(ROWS, DIM) * 2.0, torch.randn(ROWS, DIM)]


def get_init_inputs():
    return [DIM]
