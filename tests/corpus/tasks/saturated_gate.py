"""Sigmoid of the squared length of each row, which is so large that the result is one."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid((x * x).sum(dim=1))


def get_inputs():
    return [torch.randn(4000, 603)]


def get_init_inputs():
    return []
