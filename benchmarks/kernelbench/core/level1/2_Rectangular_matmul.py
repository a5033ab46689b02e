"""Product of a tall and a wide matrix whose three sizes are no multiples of sixteen."""

import torch
from torch import nn

TAGS = ("matmul",)
SIZES = {
    "cpu": {"ROWS": 4001, "INNER": 401, "COLS": 251},
    "gpu": {"ROWS": 16385, "INNER": 2051, "COLS": 4099},
}
ROWS = 4001
INNER = 401
COLS = 251


class Model(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.matmul(a, b)


def get_inputs():
    # Scaled so that the entries of the product are of order one.
    return [torch.randn(ROWS, INNER), torch.randn(INNER, COLS) / INNER**0.5]


def get_init_inputs():
    return []
