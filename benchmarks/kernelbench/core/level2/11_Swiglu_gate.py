"""SwiGLU: one half of the features passes through SiLU and gates the other half."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("representative", "elementwise", "layout")
SIZES = {
    "cpu": {"ROWS": 4000, "HIDDEN": 801},
    "gpu": {"ROWS": 65536, "HIDDEN": 2049},
}
ROWS = 4000
HIDDEN = 801


class Model(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, value = x.chunk(2, dim=-1)
        return F.silu(gate) * value


def get_inputs():
    return [torch.randn(ROWS, 2 * HIDDEN) * 1.5]


def get_init_inputs():
    return []
