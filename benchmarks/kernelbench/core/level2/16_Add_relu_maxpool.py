"""Sum of two images, ReLU, then the largest value in windows that do not overlap."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("pooling", "elementwise")
SIZES = {
    "cpu": {"BATCH": 8, "CHANNELS": 32, "HEIGHT": 79, "WIDTH": 81, "KERNEL": 2},
    "gpu": {"BATCH": 64, "CHANNELS": 128, "HEIGHT": 159, "WIDTH": 161, "KERNEL": 2},
}
BATCH = 8
CHANNELS = 32
HEIGHT = 79
WIDTH = 81
KERNEL = 2


class Model(nn.Module):
    def __init__(self, kernel: int):
        super().__init__()
        self.kernel = kernel

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        x = torch.relu(x + y)
        return F.max_pool2d(x, self.kernel)


def get_inputs():
    shape = (BATCH, CHANNELS, HEIGHT, WIDTH)
    return [torch.randn(shape) - 0.5, torch.randn(shape)]


def get_init_inputs():
    return [KERNEL]
