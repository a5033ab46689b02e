"""Attention of one new token to all stored keys and values."""

import torch
from torch import nn

TAGS = ("attention", "softmax", "reduction")
SIZES = {
    "cpu": {"BATCH": 6, "HEADS": 8, "LENGTH": 1001, "HEAD_DIM": 64},
    "gpu": {"BATCH": 32, "HEADS": 16, "LENGTH": 4001, "HEAD_DIM": 64},
}
BATCH = 6
HEADS = 8
LENGTH = 1001
HEAD_DIM = 64


class Model(nn.Module):
    def __init__(self, head_dim: int):
        super().__init__()
        self.scale = head_dim**-0.5

    def forward(self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        scores = torch.matmul(keys, query.unsqueeze(-1)) * self.scale
        weights = torch.softmax(scores, dim=2)
        return (weights * values).sum(dim=2)


def get_inputs():
    return [
        torch.randn(BATCH, HEADS, HEAD_DIM) * 2.0,
        torch.randn(BATCH, HEADS, LENGTH, HEAD_DIM),
        torch.randn(BATCH, HEADS, LENGTH, HEAD_DIM),
    ]


def get_init_inputs():
    return [HEAD_DIM]
