"""Sum of squares of each column."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * x).sum(dim=0)


def get_inputs():
    return [torch.rand(150000, 16)]


def get_init_inputs():
    return []
