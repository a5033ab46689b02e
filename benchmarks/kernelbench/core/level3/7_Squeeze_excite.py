"""Channels rescaled by a gate computed from their own means, then ReLU with a residual."""

import torch
from torch import nn

TAGS = ("representative", "reduction", "elementwise", "mlp")
SIZES = {
    "cpu": {"BATCH": 20, "CHANNELS": 56, "REDUCED": 14, "HEIGHT": 57, "WIDTH": 59},
    "gpu": {"BATCH": 64, "CHANNELS": 256, "REDUCED": 64, "HEIGHT": 111, "WIDTH": 113},
}
BATCH = 20
CHANNELS = 56
REDUCED = 14
HEIGHT = 57
WIDTH = 59


class Model(nn.Module):
    def __init__(self, channels: int, reduced: int):
        super().__init__()
        self.squeeze = nn.Linear(channels, reduced)
        self.excite = nn.Linear(reduced, channels)

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        gate = torch.relu(self.squeeze(x.mean(dim=(2, 3))))
        gate = torch.sigmoid(self.excite(gate))
        return torch.relu(x * gate[:, :, None, None] + residual)


def get_inputs():
    shape = (BATCH, CHANNELS, HEIGHT, WIDTH)
    # Channels differ in their means, so that the gates do.
    return [torch.randn(shape) + 3.0 * torch.randn(BATCH, CHANNELS, 1, 1), torch.randn(shape)]


def get_init_inputs():
    return [CHANNELS, REDUCED]
