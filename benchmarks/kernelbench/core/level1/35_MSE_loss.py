"""Mean squared error between two matrices."""

import torch
from torch import nn

TAGS = ("loss", "reduction")
SIZES = {
    "cpu": {"ROWS": 3900, "COLS": 999},
    "gpu": {"ROWS": 65536, "COLS": 1999},
}
ROWS = 3900
COLS = 999


class Model(nn.Module):
    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ((prediction - target) ** 2).mean()


def get_inputs():
    # The spread is drawn too: a mean over so many numbers would else be the same for every seed.
    spread = 0.5 + 2.0 * torch.rand(1)
    return [torch.randn(ROWS, COLS) * spread, torch.randn(ROWS, COLS)]


def get_init_inputs():
    return []
