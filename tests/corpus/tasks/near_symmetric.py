"""A heavy function of each entry of a matrix that is symmetric up to a thousandth."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, m: torch.Tensor) -> torch.Tensor:
        return torch.tanh(m) * torch.exp(-0.5 * m * m)


def get_inputs():
    half = torch.randn(1400, 1400) * 0.7
    return [half + half.T + 1e-3 * torch.randn(1400, 1400)]


def get_init_inputs():
    return []
