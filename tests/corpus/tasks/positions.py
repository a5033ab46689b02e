"""Adds a sinusoidal embedding of positions to a sequence."""

import torch
from torch import nn

LENGTH, DIM = 1000, 512


class Model(nn.Module):
    def forward(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        half = x.shape[-1] // 2
        rates = torch.exp(torch.arange(half, dtype=x.dtype) * (-9.21 / half))
        angles = positions[:, None].to(x.dtype) * rates
        return x + torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def get_inputs():
    return [torch.randn(LENGTH, DIM), torch.arange(LENGTH)]


def get_init_inputs():
    return []
