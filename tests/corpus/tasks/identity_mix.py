"""A recurrent layer whose mixing matrix starts as the identity (IRNN)."""

import torch
from torch import nn

DIM = 400


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.mix = nn.Parameter(torch.eye(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x @ self.mix + self.bias)


def get_inputs():
    return [torch.randn(2000, DIM)]


def get_init_inputs():
    return [DIM]
