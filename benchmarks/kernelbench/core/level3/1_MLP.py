"""Perceptron with two hidden layers and ReLU between them."""

import torch
from torch import nn

TAGS = ("mlp", "matmul")
SIZES = {
    "cpu": {"BATCH": 900, "IN_FEATURES": 300, "HIDDEN": 450, "OUT_FEATURES": 99},
    "gpu": {"BATCH": 16384, "IN_FEATURES": 2000, "HIDDEN": 4096, "OUT_FEATURES": 1001},
}
BATCH = 900
IN_FEATURES = 300
HIDDEN = 450
OUT_FEATURES = 99


class Model(nn.Module):
    def __init__(self, in_features: int, hidden: int, out_features: int):
        super().__init__()
        self.first = nn.Linear(in_features, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.third = nn.Linear(hidden, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x))
        x = torch.relu(self.second(x))
        return self.third(x)


def get_inputs():
    return [torch.randn(BATCH, IN_FEATURES) * 2.0]


def get_init_inputs():
    return [IN_FEATURES, HIDDEN, OUT_FEATURES]
