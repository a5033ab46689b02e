"""One matrix product for each entry of a batch."""

import torch
from torch import nn

TAGS = ("matmul",)
SIZES = {
    "cpu": {"BATCH": 64, "ROWS": 180, "INNER": 220, "COLS": 130},
    "gpu": {"BATCH": 128, "ROWS": 1024, "INNER": 1024, "COLS": 768},
}
BATCH = 64
ROWS = 180
INNER = 220
COLS = 130


class Model(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.bmm(a, b)


def get_inputs():
    # Scaled so that the entries of the product are of order one.
    return [torch.randn(BATCH, ROWS, INNER), torch.randn(BATCH, INNER, COLS) / INNER**0.5]


def get_init_inputs():
    return []
