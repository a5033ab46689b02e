"""One minus the cosine of the angle between rows of equal number."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("loss", "reduction")
SIZES = {
    "cpu": {"ROWS": 6000, "DIM": 450},
    "gpu": {"ROWS": 131072, "DIM": 1023},
}
ROWS = 6000
DIM = 450


class Model(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return 1.0 - F.cosine_similarity(a, b, dim=1)


def get_inputs():
    # Each pair agrees to a degree of its own, so that the angles spread.
    a = torch.randn(ROWS, DIM)
    return [a, a * (2.0 * torch.rand(ROWS, 1) - 1.0) + 0.5 * torch.randn(ROWS, DIM)]


def get_init_inputs():
    return []
