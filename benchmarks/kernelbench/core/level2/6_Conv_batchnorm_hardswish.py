"""Convolution, batch normalisation with stored statistics, then hard swish."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("conv", "norm", "elementwise")
SIZES = {
    "cpu": {"BATCH": 4, "IN_CHANNELS": 24, "OUT_CHANNELS": 40, "HEIGHT": 71, "WIDTH": 69, "KERNEL": 3},
    "gpu": {"BATCH": 64, "IN_CHANNELS": 64, "OUT_CHANNELS": 120, "HEIGHT": 161, "WIDTH": 159, "KERNEL": 3},
}
BATCH = 4
IN_CHANNELS = 24
OUT_CHANNELS = 40
HEIGHT = 71
WIDTH = 69
KERNEL = 3


class Model(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, kernel: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(out_channels))
        self.bias = nn.Parameter(0.2 * torch.randn(out_channels))
        self.register_buffer("mean", 0.2 * torch.randn(out_channels))
        self.register_buffer("var", 0.2 + 0.3 * torch.rand(out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        x = F.batch_norm(x, self.mean, self.var, self.weight, self.bias, training=False, eps=1e-5)
        return F.hardswish(x)


def get_inputs():
    return [torch.randn(BATCH, IN_CHANNELS, HEIGHT, WIDTH) * 2.0]


def get_init_inputs():
    return [IN_CHANNELS, OUT_CHANNELS, KERNEL]
