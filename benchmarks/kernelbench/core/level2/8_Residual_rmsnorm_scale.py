"""Residual sum, root-mean-square normalisation with a weight, and a gain for each row."""

import torch
from torch import nn

TAGS = ("representative", "norm", "elementwise")
SIZES = {
    "cpu": {"ROWS": 3200, "DIM": 1000},
    "gpu": {"ROWS": 131072, "DIM": 1000},
}
ROWS = 3200
DIM = 1000


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor, residual: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        x = x + residual
        x = x * torch.rsqrt((x * x).mean(dim=-1, keepdim=True) + 1e-6)
        return x * self.weight * gain


def get_inputs():
    return [torch.randn(ROWS, DIM), torch.randn(ROWS, DIM) * 2.0, torch.randn(ROWS, 1)]


def get_init_inputs():
    return [DIM]
