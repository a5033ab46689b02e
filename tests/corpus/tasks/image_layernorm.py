"""Layer normalisation over channels, height and width of an image, written out."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        var = ((x - mean) ** 2).mean(dim=(1, 2, 3), keepdim=True)
        return (x - mean) * torch.rsqrt(var + 1e-5)


def get_inputs():
    return [torch.randn(4, 8, 250, 251) * 2.0 + 0.5]


def get_init_inputs():
    return []
