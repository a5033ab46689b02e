"""Attention whose scores fall with the distance between query and key, by a slope that is an input."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, scores: torch.Tensor, slope: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        position = torch.arange(scores.shape[-1], dtype=scores.dtype)
        distance = (position[:, None] - position[None, :]).abs()
        weights = torch.softmax(scores - slope[:, None, None] * distance, dim=-1)
        return torch.bmm(weights, v)


def get_inputs():
    return [torch.randn(8, 400, 400), 0.5 + torch.rand(8), torch.randn(8, 400, 16)]


def get_init_inputs():
    return []
