"""Batch normalisation with stored statistics as they are before any training, then ReLU."""

import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = 48


class Model(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.batch_norm(x, self.mean, self.var, self.weight, self.bias, training=False, eps=1e-5)
        return torch.relu(x)


def get_inputs():
    return [torch.randn(8, CHANNELS, 61, 63)]


def get_init_inputs():
    return [CHANNELS]
