"""Mean absolute value over the middle axis of three."""

import torch
from torch import nn

TAGS = ("reduction",)
SIZES = {
    "cpu": {"BATCH": 126, "LENGTH": 101, "DIM": 601},
    "gpu": {"BATCH": 1024, "LENGTH": 201, "DIM": 1201},
}
BATCH = 126
LENGTH = 101
DIM = 601


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs().mean(dim=1)


def get_inputs():
    # A spread of its own for each result, so that they differ.
    return [torch.randn(BATCH, LENGTH, DIM) * (0.5 + torch.rand(BATCH, 1, DIM))]


def get_init_inputs():
    return []
