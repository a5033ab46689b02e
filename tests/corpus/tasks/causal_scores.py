"""Softmax over the keys that a mask does not hide."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.softmax(scores.masked_fill(mask, float("-inf")), dim=-1)


def get_inputs():
    later = torch.ones(400, 400, dtype=torch.bool).triu(1)
    return [torch.randn(20, 400, 400) * 2.0, later]


def get_init_inputs():
    return []
