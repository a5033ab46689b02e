"""Mean by which the matching row is not nearer than the other row by a margin."""

import torch
from torch import nn

TAGS = ("loss", "reduction")
SIZES = {
    "cpu": {"ROWS": 7500, "DIM": 333},
    "gpu": {"ROWS": 131072, "DIM": 777},
}
ROWS = 7500
DIM = 333


class Model(nn.Module):
    def forward(self, anchor: torch.Tensor, match: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        near = torch.sqrt(((anchor - match) ** 2).sum(dim=1))
        far = torch.sqrt(((anchor - other) ** 2).sum(dim=1))
        return torch.clamp(near - far + 1.0, min=0.0).mean()


def get_inputs():
    # The spread is drawn too: a mean over so many rows would else be the same for every seed.
    spread = 0.5 + 1.0 * torch.rand(1)
    return [torch.randn(ROWS, DIM), torch.randn(ROWS, DIM) * spread, torch.randn(ROWS, DIM)]


def get_init_inputs():
    return []
