"""Two convolutions, each followed by batch normalisation with stored statistics and ReLU."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("conv", "norm")
SIZES = {
    "cpu": {"BATCH": 4, "IN_CHANNELS": 16, "CHANNELS": 36, "HEIGHT": 57, "WIDTH": 55},
    "gpu": {"BATCH": 64, "IN_CHANNELS": 64, "CHANNELS": 132, "HEIGHT": 113, "WIDTH": 111},
}
BATCH = 4
IN_CHANNELS = 16
CHANNELS = 36
HEIGHT = 57
WIDTH = 55


class StoredNorm(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(channels))
        self.bias = nn.Parameter(0.2 * torch.randn(channels))
        self.register_buffer("mean", 0.2 * torch.randn(channels))
        self.register_buffer("var", 0.2 + 0.3 * torch.rand(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.batch_norm(x, self.mean, self.var, self.weight, self.bias, training=False, eps=1e-5)


class Model(nn.Module):
    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.norm1 = StoredNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = StoredNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


def get_inputs():
    return [torch.randn(BATCH, IN_CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [IN_CHANNELS, CHANNELS]
