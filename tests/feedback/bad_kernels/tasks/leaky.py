"""Leaky ReLU."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return torch.nn.functional.leaky_relu(x, 0.2)


def get_inputs():
    return [torch.randn(1000, 1003)]


def get_init_inputs():
    return []
