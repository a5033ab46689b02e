"""A recurrence that is applied STEPS times."""

import torch
from torch import nn

STEPS = 12


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(STEPS):
            x = x + 0.1 * torch.sin(x)
        return x


def get_inputs():
    return [torch.randn(400, 501)]


def get_init_inputs():
    return []
