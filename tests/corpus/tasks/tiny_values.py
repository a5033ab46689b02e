"""Products so small that they are subnormal."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a * b * 0.5


def get_inputs():
    return [torch.randn(1000, 1999) * 1e-20, torch.randn(1000, 1999) * 1e-20]


def get_init_inputs():
    return []
