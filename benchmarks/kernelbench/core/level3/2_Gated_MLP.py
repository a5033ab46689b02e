"""Perceptron whose hidden layer is gated by a SiLU branch, as in many language models."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("mlp", "matmul")
SIZES = {
    "cpu": {"ROWS": 768, "DIM": 256, "HIDDEN": 683},
    "gpu": {"ROWS": 16384, "DIM": 2048, "HIDDEN": 5461},
}
ROWS = 768
DIM = 256
HIDDEN = 683


class Model(nn.Module):
    def __init__(self, dim: int, hidden: int):
        super().__init__()
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


def get_inputs():
    return [torch.randn(ROWS, DIM) * 2.0]


def get_init_inputs():
    return [DIM, HIDDEN]
