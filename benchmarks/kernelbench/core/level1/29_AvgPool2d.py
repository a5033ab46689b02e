"""Mean over overlapping windows of an image, without padding."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("pooling",)
SIZES = {
    "cpu": {"BATCH": 8, "CHANNELS": 48, "HEIGHT": 90, "WIDTH": 93, "KERNEL": 3, "STRIDE": 2},
    "gpu": {"BATCH": 64, "CHANNELS": 192, "HEIGHT": 160, "WIDTH": 163, "KERNEL": 3, "STRIDE": 2},
}
BATCH = 8
CHANNELS = 48
HEIGHT = 90
WIDTH = 93
KERNEL = 3
STRIDE = 2


class Model(nn.Module):
    def __init__(self, kernel: int, stride: int):
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(x, self.kernel, self.stride)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)]


def get_init_inputs():
    return [KERNEL, STRIDE]
