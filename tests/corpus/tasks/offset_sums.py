"""Sums of stretches of a long vector; a sorted vector of offsets says where each begins."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return torch.segment_reduce(x, "sum", offsets=offsets, initial=0.0)


def get_inputs():
    inner = torch.randint(0, 1_000_001, (30_000,)).sort().values
    offsets = torch.cat([torch.tensor([0]), inner, torch.tensor([1_000_000])])
    return [torch.randn(1_000_000), offsets]


def get_init_inputs():
    return []
