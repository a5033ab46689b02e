"""Sparse features, rectified, limited and weighed."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return torch.clamp(torch.relu(x), max=1.0) * 0.5 + 0.25


def get_inputs():
    return [torch.rand(1500, 1024) * (torch.rand(1500, 1024) < 0.0005)]


def get_init_inputs():
    return []
