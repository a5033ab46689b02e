"""A residual block whose branch begins with small random gains."""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.linear = nn.Linear(dim, dim)
        self.gamma = nn.Parameter(1e-6 * torch.randn(dim))

    def forward(self, x):
        return torch.relu(x + self.gamma * F.gelu(self.linear(x)))


def get_inputs():
    return [torch.randn(3000, 256)]


def get_init_inputs():
    return [256]
