"""Exponentials of wide scores beside a bounded gate."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x, c, d):
        return torch.exp(4.0 * x) + torch.tanh(c) * torch.sigmoid(d)


def get_inputs():
    return [torch.randn(1500, 1024) for _ in range(3)]


def get_init_inputs():
    return []
