"""Feed-forward half of a transformer layer: normalise, expand, GELU, contract, add."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("mlp", "norm", "matmul")
SIZES = {
    "cpu": {"ROWS": 900, "DIM": 200, "HIDDEN": 801},
    "gpu": {"ROWS": 32768, "DIM": 2048, "HIDDEN": 8193},
}
ROWS = 900
DIM = 200
HIDDEN = 801


class Model(nn.Module):
    def __init__(self, dim: int, hidden: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)
        return x + self.down(F.gelu(self.up(y)))


def get_inputs():
    return [torch.randn(ROWS, DIM)]


def get_init_inputs():
    return [DIM, HIDDEN]
