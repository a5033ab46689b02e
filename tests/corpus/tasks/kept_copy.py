"""Relu, and a copy of it for a residual path: who writes to one must not change the other."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        y = torch.relu(x)
        return y, y.clone()


def get_inputs():
    return [torch.randn(700, 1050)]


def get_init_inputs():
    return []
