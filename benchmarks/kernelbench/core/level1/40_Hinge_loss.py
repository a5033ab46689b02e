"""Mean hinge loss of each row against targets of plus or minus one."""

import torch
from torch import nn

TAGS = ("loss", "reduction")
SIZES = {
    "cpu": {"ROWS": 7500, "COLS": 500},
    "gpu": {"ROWS": 131072, "COLS": 1001},
}
ROWS = 7500
COLS = 500


class Model(nn.Module):
    def forward(self, score: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return torch.clamp(1.0 - score * target, min=0.0).mean(dim=1)


def get_inputs():
    # Scores and targets agree more in some rows than in others.
    target = torch.where(torch.rand(ROWS, COLS) < 0.5, -1.0, 1.0)
    return [torch.randn(ROWS, COLS) + target * (3.0 * torch.rand(ROWS, 1) - 1.5), target]


def get_init_inputs():
    return []
