"""Layer normalisation over the last axis, with weight and bias."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("norm",)
SIZES = {
    "cpu": {"BATCH": 144, "LENGTH": 50, "DIM": 1023},
    "gpu": {"BATCH": 128, "LENGTH": 1024, "DIM": 2047},
}
BATCH = 144
LENGTH = 50
DIM = 1023


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


def get_inputs():
    return [torch.randn(BATCH, LENGTH, DIM) * 2.0 + 0.5]


def get_init_inputs():
    return [DIM]
