"""Moving mean along a signal; padding counts as zeros."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("pooling",)
SIZES = {
    "cpu": {"BATCH": 16, "CHANNELS": 64, "LENGTH": 2045, "KERNEL": 5, "STRIDE": 1, "PADDING": 2},
    "gpu": {"BATCH": 64, "CHANNELS": 256, "LENGTH": 8189, "KERNEL": 5, "STRIDE": 1, "PADDING": 2},
}
BATCH = 16
CHANNELS = 64
LENGTH = 2045
KERNEL = 5
STRIDE = 1
PADDING = 2


class Model(nn.Module):
    def __init__(self, kernel: int, stride: int, padding: int):
        super().__init__()
        self.kernel = kernel
        self.stride = stride
        self.padding = padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool1d(x, self.kernel, self.stride, self.padding)


def get_inputs():
    return [torch.randn(BATCH, CHANNELS, LENGTH)]


def get_init_inputs():
    return [KERNEL, STRIDE, PADDING]
