"""Linear layer, sum with its input, then layer normalisation."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("matmul", "norm")
SIZES = {
    "cpu": {"ROWS": 3000, "DIM": 256},
    "gpu": {"ROWS": 65536, "DIM": 2048},
}
ROWS = 3000
DIM = 256


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.linear = nn.Linear(dim, dim)
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.linear(x)
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


def get_inputs():
    return [torch.randn(ROWS, DIM)]


def get_init_inputs():
    return [DIM]
