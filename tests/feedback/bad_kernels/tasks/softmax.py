"""Softmax over each row."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return torch.softmax(x, dim=1)


def get_inputs():
    return [torch.randn(1024, 1003) * 3.0]


def get_init_inputs():
    return []
