"""An inverse square and a gated term."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, a, b, c, d):
        return a / (b * b) + torch.tanh(c) * torch.sigmoid(d)


def get_inputs():
    return [torch.randn(1500, 1024) for _ in range(4)]


def get_init_inputs():
    return []
