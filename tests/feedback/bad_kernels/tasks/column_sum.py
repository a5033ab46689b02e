"""Sum of each column."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return x.sum(dim=0)


def get_inputs():
    return [torch.rand(4000, 515)]


def get_init_inputs():
    return []
