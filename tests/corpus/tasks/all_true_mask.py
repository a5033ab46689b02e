"""Softmax over the keys that a mask keeps."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.softmax(scores.masked_fill(~mask, -10000.0), dim=-1)


def get_inputs():
    return [torch.randn(40, 250, 251), torch.ones(40, 250, 251, dtype=torch.bool)]


def get_init_inputs():
    return []
