"""Attention in bfloat16, written out: scores, softmax over the keys, weighted sum of the values."""

import torch
from torch import nn

TAGS = ("attention", "softmax", "matmul")
SIZES = {
    "cpu": {"BATCH": 2, "HEADS": 2, "LENGTH": 200, "HEAD_DIM": 64},
    "gpu": {"BATCH": 8, "HEADS": 16, "LENGTH": 2040, "HEAD_DIM": 64},
}
BATCH = 2
HEADS = 2
LENGTH = 200
HEAD_DIM = 64


class Model(nn.Module):
    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        scores = torch.matmul(query, key.transpose(2, 3)) * query.shape[-1] ** -0.5
        return torch.matmul(torch.softmax(scores, dim=-1), value)


def get_inputs():
    # Scores spread widely enough for single keys to stand out.
    shape = (BATCH, HEADS, LENGTH, HEAD_DIM)
    return [(torch.randn(shape) * spread).to(torch.bfloat16) for spread in (2.0, 1.5, 1.0)]


def get_init_inputs():
    return []
