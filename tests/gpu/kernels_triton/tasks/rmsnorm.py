"""Division by the root of the mean square, with gain."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(features))

    def forward(self, x):
        return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gain


def get_inputs():
    return [torch.randn(12, 600)]


def get_init_inputs():
    return [600]
