"""Scaled attention scores plus an additive mask, then softmax over the keys."""

import torch
from torch import nn

TAGS = ("representative", "softmax", "elementwise")
SIZES = {
    "cpu": {"HEADS": 54, "QUERIES": 250, "KEYS": 270},
    "gpu": {"HEADS": 128, "QUERIES": 1000, "KEYS": 1030},
}
HEADS = 54
QUERIES = 250
KEYS = 270


class Model(nn.Module):
    def forward(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.softmax(scores * 0.125 + mask, dim=-1)


def get_inputs():
    # The mask is shared by all heads; about a third of the keys is hidden from each query.
    mask = torch.where(torch.rand(QUERIES, KEYS) < 0.3, -10000.0, 0.0)
    return [torch.randn(HEADS, QUERIES, KEYS) * 20.0, mask]


def get_init_inputs():
    return []
