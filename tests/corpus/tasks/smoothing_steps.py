"""Eight steps of smoothing each number with its neighbours, whose ends stay."""

import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(8):
            x = torch.cat([x[:1], 0.25 * x[:-2] + 0.5 * x[1:-1] + 0.25 * x[2:], x[-1:]])
        return x


def get_inputs():
    return [torch.cumsum(torch.randn(300001) * 0.001, dim=0)]


def get_init_inputs():
    return []
