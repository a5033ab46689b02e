"""Mean of three neighbours, zeros beyond the borders counted as data."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return torch.nn.functional.avg_pool1d(x, 3, stride=1, padding=1, count_include_pad=False)


def get_inputs():
    return [torch.rand(16, 32, 1001)]


def get_init_inputs():
    return []
