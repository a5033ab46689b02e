"""Hard swish, x * clamp(x + 3, 0, 6) / 6, written out."""

import torch
from torch import nn

TAGS = ("representative", "elementwise")
SIZES = {
    "cpu": {"ROWS": 2200, "COLS": 2050},
    "gpu": {"ROWS": 32768, "COLS": 8190},
}
ROWS = 2200
COLS = 2050


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.clamp(x + 3.0, min=0.0, max=6.0) / 6.0


def get_inputs():
    return [torch.randn(ROWS, COLS) * 3.0]


def get_init_inputs():
    return []
