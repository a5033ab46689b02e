"""Linear recurrence over time whose gate comes from the input, as in linear recurrent networks."""

import torch
from torch import nn

TAGS = ("representative", "scan", "matmul")
SIZES = {
    "cpu": {"BATCH": 8, "LENGTH": 200, "DIM": 120},
    "gpu": {"BATCH": 256, "LENGTH": 256, "DIM": 1000},
}
BATCH = 8
LENGTH = 200
DIM = 120


class Model(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.project = nn.Linear(dim, 2 * dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, value = self.project(x).chunk(2, dim=-1)
        keep = torch.sigmoid(gate)
        value = (1.0 - keep) * value
        state = torch.zeros_like(x[:, 0])
        states = []
        for step in range(x.shape[1]):
            state = keep[:, step] * state + value[:, step]
            states.append(state)
        return torch.stack(states, dim=1)


def get_inputs():
    return [torch.randn(BATCH, LENGTH, DIM) * 2.0]


def get_init_inputs():
    return [DIM]
