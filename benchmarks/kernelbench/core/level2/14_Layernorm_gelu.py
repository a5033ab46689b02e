"""Layer normalisation, then GELU."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("norm", "elementwise")
SIZES = {
    "cpu": {"BATCH": 44, "LENGTH": 99, "DIM": 900},
    "gpu": {"BATCH": 128, "LENGTH": 999, "DIM": 1100},
}
BATCH = 44
LENGTH = 99
DIM = 900


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)
        return F.gelu(x)


def get_inputs():
    return [torch.randn(BATCH, LENGTH, DIM) * 2.0 + 0.5]


def get_init_inputs():
    return [DIM]
