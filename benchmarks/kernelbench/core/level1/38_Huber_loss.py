"""Mean Huber loss between two matrices: quadratic for small errors, linear for large ones."""

import torch
from torch import nn

TAGS = ("representative", "loss", "reduction")
SIZES = {
    "cpu": {"ROWS": 1500, "COLS": 1301},
    "gpu": {"ROWS": 65536, "COLS": 2001},
}
ROWS = 1500
COLS = 1301


class Model(nn.Module):
    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        error = torch.abs(prediction - target)
        loss = torch.where(error < 1.5, 0.5 * error * error, 1.5 * (error - 0.75))
        return loss.mean()


def get_inputs():
    # The spread is drawn too: a mean over so many numbers would else be the same for every seed.
    spread = 0.5 + 2.0 * torch.rand(1)
    return [torch.randn(ROWS, COLS) * spread, torch.randn(ROWS, COLS)]


def get_init_inputs():
    return []
