"""Rotation of pairs of features by an angle for each position: the two halves of a head are a pair."""

import torch
from torch import nn

TAGS = ("elementwise", "layout")
SIZES = {
    "cpu": {"HEADS": 66, "LENGTH": 501, "HALF": 36},
    "gpu": {"HEADS": 512, "LENGTH": 4001, "HALF": 64},
}
HEADS = 66
LENGTH = 501
HALF = 36


class Model(nn.Module):
    def forward(self, x: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
        left, right = x.chunk(2, dim=-1)
        cos, sin = torch.cos(angle), torch.sin(angle)
        return torch.cat([left * cos - right * sin, right * cos + left * sin], dim=-1)


def get_inputs():
    return [torch.randn(HEADS, LENGTH, 2 * HALF), torch.rand(LENGTH, HALF) * 6.0]


def get_init_inputs():
    return []
