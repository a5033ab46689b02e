"""Linear layer in bfloat16, then GELU: a matrix product with an epilogue."""

import torch
import torch.nn.functional as F
from torch import nn

TAGS = ("matmul", "elementwise")
SIZES = {
    "cpu": {"BATCH": 250, "IN_FEATURES": 136, "OUT_FEATURES": 200},
    "gpu": {"BATCH": 8192, "IN_FEATURES": 4096, "OUT_FEATURES": 4096},
}
BATCH = 250
IN_FEATURES = 136
OUT_FEATURES = 200


class Model(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, dtype=torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(self.linear(x))


def get_inputs():
    return [(torch.randn(BATCH, IN_FEATURES) * 2.0).to(torch.bfloat16)]


def get_init_inputs():
    return [IN_FEATURES, OUT_FEATURES]
