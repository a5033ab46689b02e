"""Scale for each column, clamp, then the logarithm of the sum of exponentials of each row."""

import torch
from torch import nn

TAGS = ("representative", "reduction", "elementwise")
SIZES = {
    "cpu": {"ROWS": 4500, "DIM": 601},
    "gpu": {"ROWS": 131072, "DIM": 1601},
}
ROWS = 4500
DIM = 601


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.clamp(x * self.scale, min=-8.0, max=8.0)
        return torch.logsumexp(x, dim=1)


def get_inputs():
    # A spread of its own for each row, so that the results differ.
    return [torch.randn(ROWS, DIM) * (0.5 + 2.5 * torch.rand(ROWS, 1))]


def get_init_inputs():
    return [DIM]
