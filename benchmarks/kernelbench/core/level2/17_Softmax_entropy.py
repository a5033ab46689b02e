"""Entropy of the softmax of each row."""

import torch
from torch import nn

TAGS = ("softmax", "reduction")
SIZES = {
    "cpu": {"ROWS": 5000, "COLS": 450},
    "gpu": {"ROWS": 131072, "COLS": 1023},
}
ROWS = 5000
COLS = 450


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        log_p = torch.log_softmax(x, dim=1)
        return -(torch.exp(log_p) * log_p).sum(dim=1)


def get_inputs():
    # A spread of its own for each row, so that entropies range from high to low.
    return [torch.randn(ROWS, COLS) * (0.5 + 4.0 * torch.rand(ROWS, 1))]


def get_init_inputs():
    return []
