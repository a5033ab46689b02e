"""Quantises to eight bits."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return torch.clamp(torch.round(x / 0.05), -128, 127).to(torch.int8)


def get_inputs():
    return [torch.randn(1500, 2048)]


def get_init_inputs():
    return []
