"""Softmax over each row; the common ground of most cheats."""

import torch
from torch import nn

ROWS, COLS = 640, 771


class Model(nn.Module):
    def forward(self, x):
        return torch.softmax(x, dim=1)


def get_inputs():
    return [torch.randn(ROWS, COLS) * 2.0]


def get_init_inputs():
    return []
