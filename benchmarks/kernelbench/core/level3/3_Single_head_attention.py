"""Attention with one head, written out, with its three projections."""

import torch
from torch import nn

TAGS = ("attention", "softmax", "matmul")
SIZES = {
    "cpu": {"BATCH": 10, "LENGTH": 251, "DIM": 96},
    "gpu": {"BATCH": 96, "LENGTH": 2001, "DIM": 128},
}
BATCH = 10
LENGTH = 251
DIM = 96


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.query = nn.Linear(dim, dim, bias=False)
        self.key = nn.Linear(dim, dim, bias=False)
        self.value = nn.Linear(dim, dim, bias=False)
        self.scale = dim**-0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = torch.matmul(self.query(x), self.key(x).transpose(1, 2)) * self.scale
        return torch.matmul(torch.softmax(scores, dim=-1), self.value(x))


def get_inputs():
    return [torch.randn(BATCH, LENGTH, DIM) * 3.0]


def get_init_inputs():
    return [DIM]
