"""Linear layer and bias, sigmoid, then the sum over the output features."""

import torch
from torch import nn

TAGS = ("matmul", "elementwise", "reduction")
SIZES = {
    "cpu": {"BATCH": 4000, "IN_FEATURES": 150, "OUT_FEATURES": 333},
    "gpu": {"BATCH": 65536, "IN_FEATURES": 1024, "OUT_FEATURES": 2047},
}
BATCH = 4000
IN_FEATURES = 150
OUT_FEATURES = 333


class Model(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, bias=False)
        self.bias = nn.Parameter(0.5 + torch.randn(out_features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.sigmoid(self.linear(x) + self.bias)
        return x.sum(dim=1)


def get_inputs():
    return [torch.randn(BATCH, IN_FEATURES) * 3.0]


def get_init_inputs():
    return [IN_FEATURES, OUT_FEATURES]
