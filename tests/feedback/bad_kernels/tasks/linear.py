"""A linear layer with bias."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(192, 192)

    def forward(self, x):
        return self.linear(x)


def get_inputs():
    return [torch.randn(192, 192)]


def get_init_inputs():
    return []
