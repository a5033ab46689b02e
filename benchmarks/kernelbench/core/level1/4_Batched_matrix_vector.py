"""One product of a matrix and a vector for each entry of a batch."""

import torch
from torch import nn

TAGS = ("matmul", "reduction")
SIZES = {
    "cpu": {"BATCH": 60, "ROWS": 250, "COLS": 301},
    "gpu": {"BATCH": 512, "ROWS": 1000, "COLS": 701},
}
BATCH = 60
ROWS = 250
COLS = 301


class Model(nn.Module):
    def forward(self, a: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.matmul(a, v.unsqueeze(-1)).squeeze(-1)


def get_inputs():
    # Scaled so that the entries of the products are of order one.
    return [torch.randn(BATCH, ROWS, COLS), torch.randn(BATCH, COLS) / COLS**0.5]


def get_init_inputs():
    return []
