"""A linear layer of whose weights a few are large and most are almost zero."""

import torch
from torch import nn

DIM = 400


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dim, dim) ** 9 * 2e-5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x @ self.weight.T)


def get_inputs():
    return [torch.randn(1500, DIM)]


def get_init_inputs():
    return [DIM]
