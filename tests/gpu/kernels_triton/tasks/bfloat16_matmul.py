"""The product of two matrices of bfloat16 numbers, added up in float32."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, a, b):
        return a @ b


def get_inputs():
    return [torch.randn(70, 96).bfloat16(), torch.randn(96, 40).bfloat16()]


def get_init_inputs():
    return []
