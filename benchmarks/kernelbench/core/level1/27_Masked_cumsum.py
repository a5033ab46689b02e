"""Running sum over time, along the middle axis, of the entries that a mask keeps."""

import torch
from torch import nn

TAGS = ("scan", "layout")
SIZES = {
    "cpu": {"BATCH": 40, "LENGTH": 200, "DIM": 401},
    "gpu": {"BATCH": 128, "LENGTH": 1000, "DIM": 1001},
}
BATCH = 40
LENGTH = 200
DIM = 401


class Model(nn.Module):
    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.cumsum(x * mask, dim=1)


def get_inputs():
    return [torch.randn(BATCH, LENGTH, DIM), torch.rand(BATCH, LENGTH, DIM) < 0.5]


def get_init_inputs():
    return []
