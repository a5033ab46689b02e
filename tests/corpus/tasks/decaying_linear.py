"""A linear layer whose weights have fast falling singular values."""

import torch
from torch import nn

DIM = 384


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        left, _ = torch.linalg.qr(torch.randn(dim, dim))
        right, _ = torch.linalg.qr(torch.randn(dim, dim))
        fall = torch.exp(-torch.arange(dim) / 6.0)
        self.weight = nn.Parameter(left * fall @ right)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x @ self.weight.T)


def get_inputs():
    return [torch.randn(1500, DIM)]


def get_init_inputs():
    return [DIM]
