"""Causal attention with several heads and an output projection."""

import torch
from torch import nn

TAGS = ("attention", "softmax", "matmul", "layout")
SIZES = {
    "cpu": {"BATCH": 4, "LENGTH": 200, "HEADS": 6, "HEAD_DIM": 32},
    "gpu": {"BATCH": 16, "LENGTH": 2000, "HEADS": 16, "HEAD_DIM": 64},
}
BATCH = 4
LENGTH = 200
HEADS = 6
HEAD_DIM = 32


class Model(nn.Module):
    def __init__(self, heads: int, head_dim: int, length: int):
        super().__init__()
        dim = heads * head_dim
        self.heads = heads
        self.scale = head_dim**-0.5
        self.project_in = nn.Linear(dim, 3 * dim, bias=False)
        self.project_out = nn.Linear(dim, dim)
        self.register_buffer("hidden", torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, dim = x.shape
        query, key, value = (
            part.view(batch, length, self.heads, -1).transpose(1, 2)
            for part in self.project_in(x).chunk(3, dim=-1)
        )
        scores = torch.matmul(query, key.transpose(2, 3)) * self.scale
        weights = torch.softmax(scores.masked_fill(self.hidden, float("-inf")), dim=-1)
        return self.project_out(torch.matmul(weights, value).transpose(1, 2).reshape(batch, length, dim))


def get_inputs():
    return [torch.randn(BATCH, LENGTH, HEADS * HEAD_DIM) * 2.0]


def get_init_inputs():
    return [HEADS, HEAD_DIM, LENGTH]
