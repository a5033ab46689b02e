"""Layer normalisation of the sum of a layer's output and its input."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("representative", "norm", "elementwise")
SIZES = {
    "cpu": {"ROWS": 5150, "DIM": 770},
    "gpu": {"ROWS": 131072, "DIM": 1030},
}
ROWS = 5150
DIM = 770


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        x = x + residual
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


def get_inputs():
    return [torch.randn(ROWS, DIM), torch.randn(ROWS, DIM) * 2.0 + 0.5]


def get_init_inputs():
    return [DIM]
