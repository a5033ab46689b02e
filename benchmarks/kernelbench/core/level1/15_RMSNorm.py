"""Root-mean-square normalisation of each row, with a weight."""

import torch
from torch import nn

TAGS = ("representative", "norm")
SIZES = {
    "cpu": {"ROWS": 3500, "DIM": 1300},
    "gpu": {"ROWS": 65536, "DIM": 4100},
}
ROWS = 3500
DIM = 1300


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean_square = x.pow(2).mean(dim=-1, keepdim=True)
        return x * torch.rsqrt(mean_square + 1e-6) * self.weight


def get_inputs():
    return [torch.randn(ROWS, DIM) * 2.0]


def get_init_inputs():
    return [DIM]
