"""Linear layer with bias, then ReLU."""

import torch
from torch import nn

TAGS = ("matmul", "elementwise")
SIZES = {
    "cpu": {"BATCH": 1500, "IN_FEATURES": 400, "OUT_FEATURES": 601},
    "gpu": {"BATCH": 16384, "IN_FEATURES": 4096, "OUT_FEATURES": 4001},
}
BATCH = 1500
IN_FEATURES = 400
OUT_FEATURES = 601


class Model(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.linear(x))


def get_inputs():
    return [torch.randn(BATCH, IN_FEATURES)]


def get_init_inputs():
    return [IN_FEATURES, OUT_FEATURES]
