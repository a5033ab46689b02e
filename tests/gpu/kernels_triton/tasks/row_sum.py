"""The sum of each row."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return x.sum(dim=1)


def get_inputs():
    return [torch.randn(30, 3000)]


def get_init_inputs():
    return []
