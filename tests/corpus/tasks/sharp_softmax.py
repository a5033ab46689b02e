"""Softmax of scores so far apart that few of each row count."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x, dim=1)


def get_inputs():
    return [torch.randn(3000, 900) * 25.0]


def get_init_inputs():
    return []
