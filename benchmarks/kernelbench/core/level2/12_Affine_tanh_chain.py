"""A chain of cheap steps on each element: affine, tanh, square, affine, clamp."""

import torch
from torch import nn

TAGS = ("elementwise",)
SIZES = {
    "cpu": {"ROWS": 1500, "DIM": 1001},
    "gpu": {"ROWS": 131072, "DIM": 1001},
}
ROWS = 1500
DIM = 1001


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(dim))
        self.shift = nn.Parameter(0.5 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(x * self.scale + self.shift)
        x = x * x * 2.0 - 0.5 * x
        return torch.clamp(x, min=0.0, max=1.5)


def get_inputs():
    return [torch.randn(ROWS, DIM)]


def get_init_inputs():
    return [DIM]
