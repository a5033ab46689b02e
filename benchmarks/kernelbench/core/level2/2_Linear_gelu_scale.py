"""Linear layer over few features, then GELU and a scale for each output feature."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("representative", "matmul", "elementwise")
SIZES = {
    "cpu": {"BATCH": 10000, "IN_FEATURES": 16, "OUT_FEATURES": 301},
    "gpu": {"BATCH": 524288, "IN_FEATURES": 64, "OUT_FEATURES": 513},
}
BATCH = 10000
IN_FEATURES = 16
OUT_FEATURES = 301


class Model(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.scale = nn.Parameter(1.0 + 0.3 * torch.randn(out_features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.gelu(self.linear(x))
        return x * self.scale


def get_inputs():
    return [torch.randn(BATCH, IN_FEATURES) * 2.0]


def get_init_inputs():
    return [IN_FEATURES, OUT_FEATURES]
