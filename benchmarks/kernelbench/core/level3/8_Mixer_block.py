"""Mixing over positions, then over channels, each with a residual and a learned layer scale."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("mlp", "norm", "layout")
SIZES = {
    "cpu": {"BATCH": 14, "LENGTH": 98, "DIM": 190},
    "gpu": {"BATCH": 256, "LENGTH": 392, "DIM": 760},
}
BATCH = 14
LENGTH = 98
DIM = 190


class Model(nn.Module):
    def __init__(self, length: int, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))
        self.positions = nn.Linear(length, length)
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, dim)
        self.scale1 = nn.Parameter(0.5 + 0.2 * torch.randn(dim))
        self.scale2 = nn.Parameter(0.5 + 0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)
        x = x + self.scale1 * self.positions(y.transpose(1, 2)).transpose(1, 2)
        return x + self.scale2 * self.down(F.gelu(self.up(x)))


def get_inputs():
    return [torch.randn(BATCH, LENGTH, DIM)]


def get_init_inputs():
    return [LENGTH, DIM]
