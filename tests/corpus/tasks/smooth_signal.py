"""A heavy function of each sample of a signal that changes slowly."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x) * torch.exp(-x * x)


def get_inputs():
    return [torch.cumsum(torch.randn(16, 80001) * 0.001, dim=1)]


def get_init_inputs():
    return []
