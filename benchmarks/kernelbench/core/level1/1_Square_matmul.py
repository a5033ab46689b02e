"""Product of two square matrices."""

import torch
from torch import nn

TAGS = ("matmul",)
SIZES = {
    "cpu": {"N": 900},
    "gpu": {"N": 4096},
}
N = 900


class Model(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.matmul(a, b)


def get_inputs():
    # Scaled so that the entries of the product are of order one.
    return [torch.randn(N, N), torch.randn(N, N) / N**0.5]


def get_init_inputs():
    return []
