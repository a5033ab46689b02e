"""Layer normalisation of long rows that are standard normal already."""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[1:])


def get_inputs():
    return [torch.randn(8, 262145)]


def get_init_inputs():
    return []
